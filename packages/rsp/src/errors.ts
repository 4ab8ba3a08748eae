/** Every code that this package throws. Callers switch on the code, never on the message. */
export type RspErrorCode =
  | 'tlv/truncated' | 'tlv/tag' | 'tlv/length' | 'tlv/trailing' | 'tlv/depth' | 'tlv/size' | 'tlv/primitive'
  | 'asn1/tag' | 'asn1/missing' | 'asn1/unexpected' | 'asn1/value'
  | 'hex/malformed' | 'base64/malformed'
  | 'identity/iccid' | 'identity/eid' | 'identity/plmn'
  | 'bsp/key' | 'bsp/mac' | 'bsp/padding' | 'bsp/segment'
  | 'package/structure' | 'package/order'
  | 'saip/structure' | 'saip/value'
  | 'activation-code/malformed'
  | 'es9plus/malformed' | 'es9plus/missing' | 'es9plus/size'
  | `smdp/${string}`
  | `pki/${string}` | `es10/${string}` | `euicc/${string}` | `lpa/${string}`;

/** The one error class of this package. */
export class RspError extends Error {
  readonly code: RspErrorCode;

  constructor(code: RspErrorCode, message?: string, options?: ErrorOptions) {
    super(message === undefined ? code : `${code}: ${message}`, options);
    this.name = 'RspError';
    this.code = code;
  }
}
