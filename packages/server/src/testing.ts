/** What the testbed may use of the server: its databases, to look into them from outside. */
export { openDatabase, sql } from './platform/db/index.ts';
export type { Database } from './platform/db/index.ts';
export { startEmbedded } from './platform/db/embedded.ts';
export { testDatabase, type TestDatabase } from './platform/db/testing.ts';
