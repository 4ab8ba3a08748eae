import { expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import { createLog } from './index.ts';

function lines(format: 'json' | 'terminal' = 'json'): { log: ReturnType<typeof createLog>['log']; read: () => string } {
  let text = '';
  const { log } = createLog({ level: 'info', format, write: (line) => { text += line; } });
  return { log, read: () => text };
}

test('fields that hold personal or secret values are hidden at any depth', () => {
  const { log, read } = lines();
  log.info({ accountId: 'a-1', email: 'mei@example.test', deep: [{ Remote_Address: '203.0.113.9', iccid: '8900100000000000001', count: 3 }] }, 'signed up');
  expect(JSON.parse(read())).toMatchObject({ msg: 'signed up', accountId: 'a-1', email: '[hidden]', deep: [{ Remote_Address: '[hidden]', iccid: '[hidden]', count: 3 }] });
  expect(read()).not.toMatch(/mei@|203\.0\.113|89001/);
});

test('an error keeps its code, ids and stack, and nothing the database quoted', () => {
  const { log, read } = lines();
  const cause = Object.assign(new Error('invalid input syntax for type uuid: "mei@example.test"'), {
    severity: 'ERROR', code: '22P02', detail: 'Key (email)=(mei@example.test) exists', where: 'unnamed portal parameter $1 = \'mei@example.test\'',
  });
  log.error({ err: new ServiceError('accounts/refused', { accountId: 'a-1', email: 'mei@example.test' }, { cause }) }, 'failed');
  expect(read()).not.toContain('mei@');
  expect(JSON.parse(read())).toMatchObject({ err: { code: 'accounts/refused', details: { accountId: 'a-1' }, cause: { code: '22P02' } } });
  expect(JSON.parse(read()).err.stack).toContain('log.test.ts');
});

test('cycles, bytes, big numbers and long texts are bounded', () => {
  const { log, read } = lines();
  const cycle: Record<string, unknown> = { n: 12345678901234567890n, bytes: Buffer.alloc(100), long: 'x'.repeat(100_000) };
  cycle['self'] = cycle;
  log.info(cycle, 'odd');
  expect(read().length).toBeLessThan(20_000);
  expect(JSON.parse(read())).toMatchObject({ n: '12345678901234567890', bytes: '[100 bytes]' });
});

test('in a terminal an entry is one line, an error has its stack below', () => {
  const { log, read } = lines('terminal');
  log.info({ port: 8080, url: 'http://localhost:8080' }, 'listening');
  expect(read()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}listening port=8080 url=http:\/\/localhost:8080\n$/);
  log.error({ err: new Error('gone wrong') }, 'failed');
  expect(read()).toMatch(/error failed "gone wrong"\n\s+at /);
});
