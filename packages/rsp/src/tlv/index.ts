export { isConstructed, readTlv, readTlvHead, readTlvs, tagName, Tlv, type TlvHead, type TlvLimits } from './read.ts';
export { encodeLength, encodeTag, encodeTlv } from './write.ts';
