import { expect, test } from 'vitest';
import { openDatabase } from '../db/index.ts';
import { testDatabase } from '../db/testing.ts';
import { createTelemetry } from './index.ts';

test('tells the pools\' figures, and is ready while every database answers', async () => {
  const t = await testDatabase();
  const gone = openDatabase({ url: 'postgresql://nobody@127.0.0.1:1/none', connectTimeoutMs: 500 });
  const { registry, readiness } = createTelemetry({ main: t.db, gone });
  await expect(readiness['database-main']!()).resolves.toBeUndefined();
  await expect(readiness['database-gone']!()).rejects.toThrow();
  const text = await registry.metrics();
  expect(text).toContain('database_connections{database="main",state="idle"} 1');
  expect(text).toContain('process_resident_memory_bytes');
  await gone.close();
  await t.drop();
});
