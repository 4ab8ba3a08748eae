import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'tools/**/*.test.ts'],
    exclude: ['**/*.deep.test.ts', '**/node_modules/**'],
    globalSetup: ['packages/server/src/platform/db/test-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 90_000,
    // Many tests start real processes; a machine that is short of time once must not fail the whole run.
    retry: process.env['CI'] === 'true' ? 2 : 0,
  },
});
