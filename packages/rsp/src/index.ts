/**
 * GSMA SGP.22 (consumer remote SIM provisioning), both ends, without I/O: time, randomness, keys and trust are arguments.
 *
 * @packageDocumentation
 */
export * from './errors.ts';
export * from './bytes.ts';
export * from './identity.ts';
export * from './confirmation-code.ts';
export * from './tlv/index.ts';
export * from './asn1/index.ts';
export * from './bsp/index.ts';
export * from './package/index.ts';
export * from './saip/index.ts';
export * from './pki/index.ts';
export * from './activation-code.ts';
export * from './es9plus/index.ts';
export * from './smdp/index.ts';
