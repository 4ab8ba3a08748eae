export { cmacUnder, type Cmac } from './cmac.ts';
export { deriveSessionKeys, SESSION_KEY_BYTES, splitKeys, x963, type SessionKeys } from './keys.ts';
export { MAX_SEGMENT_BYTES, MAX_SEGMENT_PLAINTEXT, protectSegments, startBsp, unprotectSegment, type BspState } from './segment.ts';
