export {
  ciIssuerOf, createTestPki, issueIdentity, issueTestEuicc, signerOfIdentity, testEid, TEST_EID_PREFIX, TEST_SMDP_OID,
  type TestIdentity, type TestPki, type TestPkiOptions,
} from './pki.ts';
export { seededRandom, type RandomBytes } from './random.ts';
