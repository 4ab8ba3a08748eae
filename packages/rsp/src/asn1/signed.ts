import { concatBytes } from '../bytes.ts';
import { encodeTlv } from '../tlv/index.ts';
import { OneTimePublicKey, Signature, transactionId } from './elements.ts';
import { ControlRefTemplate, type InitialiseSecureChannelRequest } from './download.ts';
import { integer } from './primitives.ts';
import { type Input, encode } from './schema.ts';

/** The bytes that smdpSignature2 covers: smdpSigned2 and the `5F37` object of euiccSignature1. */
export function smdpSigned2Covered(smdpSigned2: Uint8Array, euiccSignature1: Uint8Array): Uint8Array {
  return concatBytes(smdpSigned2, encode(Signature, euiccSignature1));
}

/** The bytes that euiccSignature2 covers: euiccSigned2 and the `5F37` object of smdpSignature2. */
export function euiccSigned2Covered(euiccSigned2: Uint8Array, smdpSignature2: Uint8Array): Uint8Array {
  return concatBytes(euiccSigned2, encode(Signature, smdpSignature2));
}

type SecureChannel = Omit<Input<typeof InitialiseSecureChannelRequest>, 'smdpSign'>;

/** The bytes that smdpSign covers: the fields of `BF23` without its head and signature, then the eUICC's one-time key. */
export function secureChannelCovered(request: SecureChannel, euiccOtpk: Uint8Array): Uint8Array {
  return concatBytes(
    encode(integer(0x82), request.remoteOperation),
    encode(transactionId(), request.transactionId),
    encode(ControlRefTemplate, request.controlRefTemplate),
    encode(OneTimePublicKey, request.smdpOtpk),
    encode(OneTimePublicKey, euiccOtpk),
  );
}

/** A signature as a field of its own in ES9+ JSON: the whole `5F37` object. */
export function signatureTlv(signature: Uint8Array): Uint8Array {
  return encodeTlv(0x5f37, signature);
}
