/**
 * The virtual eUICC: a pure state machine that verifies everything an SM-DP+ sends. Time, randomness and the private key are arguments.
 *
 * @packageDocumentation
 */
export { loadEuicc, saveEuicc } from './persist.ts';
export {
  ciKeyIdOf, createEuicc, freeMemory, metadataOf,
  type EuiccContext, type EuiccCredential, type EuiccOptions, type EuiccState, type InstalledProfile, type StoredNotification,
} from './state.ts';
export { MAX_CHAIN_BYTES, transmit, type Transmission } from './transmit.ts';
