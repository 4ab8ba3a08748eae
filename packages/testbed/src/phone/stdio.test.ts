import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { createTestPki, testEid } from '@yuanyou/rsp/testing';
import { openDevice } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'euicc-'));
const driver = join(import.meta.dirname, '..', 'bin', 'euicc-stdio.ts');
const pki = createTestPki({
  curve: 'P-256', random: (bytes) => randomBytes(bytes), notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2056-01-01T00:00:00Z'),
});
const isdr = 'A0000005591010FFFFFFFF8900000100';

afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

function deviceFile(name: string): string {
  const path = join(folder, name);
  openDevice(path, { eid: testEid(7), issuers: [pki] });
  return path;
}

/** Runs the driver for one command of an LPA: each line is answered before the next is sent. */
async function converse(path: string, lines: readonly unknown[]): Promise<unknown[]> {
  const child = spawn(process.execPath, [driver, path], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const got: unknown[] = [];
  for (const line of lines) {
    child.stdin.write(`${JSON.stringify(line)}\n`);
    got.push(JSON.parse((await answers.next()).value as string));
  }
  child.stdin.end();
  expect((await ended)[0]).toBe(0);
  return got;
}

const call = (func: string, param: string | null = null) => ({ type: 'apdu', payload: { func, param } });
const answer = (ecode: number, data?: string) => ({ type: 'apdu', payload: { ecode, ...(data === undefined ? {} : { data }) } });

describe('the stdio driver', () => {
  it('serves an LPA as lpac speaks, and remembers from one command to the next', async () => {
    const path = deviceFile('one.json');
    const first = await converse(path, [
      call('connect'), call('logic_channel_open', isdr), call('transmit', '81E2910006BF3E035C015A'), call('transmit', '81E2910003BF2D00'),
      call('transmit', '81E2910011BF3F0E800C736D64702E6578616D706C65'), call('logic_channel_close', '01'), call('disconnect'),
    ]);
    expect(first).toEqual([
      answer(0), answer(1), answer(0, `BF3E125A10${testEid(7)}9000`), answer(0, 'BF2D02A0009000'), answer(0, 'BF3F038001009000'), answer(0), answer(0),
    ]);
    const second = await converse(path, [call('connect'), call('logic_channel_open', isdr), call('transmit', '81E2910003BF3C00')]);
    expect(second[2]).toEqual(answer(0, `BF3C1C800C${Buffer.from('smdp.example').toString('hex').toUpperCase()}810C${Buffer.from('smds.example').toString('hex').toUpperCase()}9000`));
  });

  it('refuses another application', async () => {
    expect(await converse(deviceFile('two.json'), [call('logic_channel_open', 'A000000087')])).toEqual([answer(-1)]);
  });

  it('says what is missing', async () => {
    const child = spawn(process.execPath, [driver], { stdio: 'ignore' });
    expect((await once(child, 'exit'))[0]).toBe(2);
  });

  const lpac = process.env['LPAC_BIN'];
  it.skipIf(lpac === undefined)('satisfies a stock lpac (LPAC_BIN)', async () => {
    const path = deviceFile('lpac.json');
    const run = async (...args: string[]): Promise<unknown> => {
      const child = spawn(process.execPath, [driver, path, '--', lpac!, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
      const lines: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) lines.push(line);
      return JSON.parse(lines.at(-1)!);
    };
    expect(await run('chip', 'info')).toMatchObject({ type: 'lpa', payload: { code: 0, data: { eidValue: testEid(7) } } });
    expect(await run('profile', 'list')).toMatchObject({ type: 'lpa', payload: { code: 0, data: [] } });
    expect(await run('notification', 'list')).toMatchObject({ type: 'lpa', payload: { code: 0 } });
  });
});
