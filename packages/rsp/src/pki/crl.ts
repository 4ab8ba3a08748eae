import { decode } from '../asn1/index.ts';
import { equalBytes, toHex } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { requireAlgorithm } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { rawFromDer } from './signature.ts';
import { extensionValues, oids, readName, signed, tbsCertList } from './x509.ts';
import type { Name } from './x509.ts';

/** A certificate revocation list (RFC 5280 section 5), version 2. Its signature is checked by `verifyCrl`. */
export interface Crl {
  readonly raw: Uint8Array;
  readonly tbs: Uint8Array;
  /** Raw r || s, 64 bytes. */
  readonly signature: Uint8Array;
  readonly issuer: Name;
  readonly authorityKeyId?: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Serial numbers, upper-case hexadecimal of the INTEGER's bytes. */
  readonly revoked: ReadonlySet<string>;
}

/** Largest revocation list that is read, in bytes. */
export const MAX_CRL_BYTES = 131_072;

/**
 * Reads one DER revocation list, with at most 4096 entries.
 * @throws RspError `pki/crl`
 */
export function parseCrl(bytes: Uint8Array): Crl {
  try {
    const outer = decode(signed, bytes, { maxBytes: MAX_CRL_BYTES, maxDepth: 12, maxChildren: 4096 });
    const tbs = decode(tbsCertList, outer.tbs);
    if (tbs.version !== 1) throw new RspError('pki/crl', 'not version 2');
    requireAlgorithm(outer.algorithm.id, tbs.algorithm.id);
    const authority = tbs.extensions?.find(({ id }) => id === oids.authorityKeyId);
    return {
      raw: outer.raw,
      tbs: outer.tbs,
      signature: rawFromDer(outer.signature),
      issuer: readName(tbs.issuer),
      ...(authority ? { authorityKeyId: decode(extensionValues.authorityKeyId, authority.value).keyId } : {}),
      thisUpdate: tbs.thisUpdate,
      nextUpdate: tbs.nextUpdate,
      revoked: new Set((tbs.revoked ?? []).map(({ serial }) => toHex(serial))),
    };
  } catch (cause) {
    if (cause instanceof RspError && cause.code === 'pki/crl') throw cause;
    throw new RspError('pki/crl', cause instanceof Error ? cause.message : undefined, { cause });
  }
}

/** True when the list is of the certificate's issuer and names its serial number. */
export function isRevoked(crl: Crl, certificate: Certificate): boolean {
  return equalBytes(crl.issuer.raw, certificate.issuer.raw) && crl.revoked.has(certificate.serial);
}
