/**
 * Test doubles that run the real protocol: generated PKIs, virtual eUICCs in batches, an SM-DP+ whose every part can be made wrong.
 *
 * @packageDocumentation
 */
export {
  createTestEuicc, createTestEuiccs, euiccSignerOf, runEuicc, type RunningEuicc, type TestEuicc, type TestEuiccKey,
} from './euicc.ts';
export {
  ciIssuerOf, createTestPki, issueIdentity, issueTestEuicc, signerOfIdentity, testEid, TEST_EID_PREFIX, TEST_SMDP_OID,
  type EuiccIssuer, type TestIdentity, type TestPki, type TestPkiOptions,
} from './pki.ts';
export { seededRandom, type RandomBytes } from './random.ts';
export {
  createTestSmdp, testMetadata, testProfilePackage,
  type AuthenticateServerCall, type BoundProfilePackageCall, type PrepareDownloadCall, type TestSmdp,
} from './smdp.ts';
export { runWith } from './lpa.ts';
export { createMemorySmdp, releasedOrder, type MemoryEvent, type MemoryOrder, type MemorySmdp, type MemorySmdpOptions } from './memory-smdp.ts';
