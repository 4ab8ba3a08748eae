/** The two elliptic curves that SGP.22 uses for certificates and session keys. */
export type CurveName = 'P-256' | 'brainpoolP256r1';

/** What differs from curve to curve; nothing else switches on the name. */
export interface Curve {
  readonly name: CurveName;
  /** Dotted object identifier of the named curve (RFC 5480, RFC 5639). */
  readonly oid: string;
  /** The name node:crypto knows the curve by. */
  readonly nodeName: string;
  /** Order of the base point; private keys lie in 1..order-1. */
  readonly order: bigint;
  /** DER of a SubjectPublicKeyInfo up to the uncompressed point (65 bytes) that follows. */
  readonly spkiPrefix: Uint8Array;
  /** DER of an ECPrivateKey (RFC 5915) around the 32 bytes of the private key: what precedes and what follows them. */
  readonly sec1: { readonly prefix: Uint8Array; readonly suffix: Uint8Array };
}

const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');

/** Both curves by name. */
export const curves: Readonly<Record<CurveName, Curve>> = {
  'P-256': {
    name: 'P-256',
    oid: '1.2.840.10045.3.1.7',
    nodeName: 'prime256v1',
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    spkiPrefix: hex('3059301306072a8648ce3d020106082a8648ce3d030107034200'),
    sec1: { prefix: hex('30310201010420'), suffix: hex('a00a06082a8648ce3d030107') },
  },
  brainpoolP256r1: {
    name: 'brainpoolP256r1',
    oid: '1.3.36.3.3.2.8.1.1.7',
    nodeName: 'brainpoolP256r1',
    order: 0xa9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7n,
    spkiPrefix: hex('305a301406072a8648ce3d020106092b2403030208010107034200'),
    sec1: { prefix: hex('30320201010420'), suffix: hex('a00b06092b2403030208010107') },
  },
};

/** The curve with this object identifier, or undefined when SGP.22 does not use it. */
export function curveByOid(oid: string): Curve | undefined {
  return Object.values(curves).find((curve) => curve.oid === oid);
}
