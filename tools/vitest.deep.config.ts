import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: resolve(import.meta.dirname, '..'),
  test: {
    include: ['packages/*/src/**/*.deep.test.ts', 'packages/*/test/**/*.deep.test.ts', 'tools/**/*.deep.test.ts'],
    exclude: ['**/node_modules/**'],
    globalSetup: ['packages/server/src/platform/db/test-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 900_000,
    hookTimeout: 180_000,
    // As in the plain run.
    retry: process.env['CI'] === 'true' ? 1 : 0,
  },
});
