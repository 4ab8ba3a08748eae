import { closureRoutes } from '@yuanyou/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromBuffer } from 'yauzl';
import { sql } from '../src/platform/db/index.ts';
import { openHouse, type House } from './support/house.ts';
import { newPhone } from './support/phone.ts';
import { refusal, signUp, type Receipt, type Traveller } from './support/traveller.ts';
import { use } from './support/use.ts';

/** The files of a ZIP, by name. */
function unzip(bytes: Buffer): Promise<Map<string, string>> {
  return new Promise((resolve, reject) => {
    fromBuffer(bytes, { lazyEntries: true }, (error, zip) => {
      if (error !== null) {
        reject(error);
        return;
      }
      const files = new Map<string, string>();
      zip.on('entry', (entry: { fileName: string }) => {
        zip.openReadStream(entry as never, (failed, stream) => {
          if (failed !== null) {
            reject(failed);
            return;
          }
          const parts: Buffer[] = [];
          stream.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
            files.set(entry.fileName, Buffer.concat(parts).toString());
            zip.readEntry();
          });
        });
      }).on('end', () => { resolve(files); }).on('error', reject);
      zip.readEntry();
    });
  });
}

let house: House;
let t: Traveller;
let receipt: Receipt;
let iccid: string;
let link: URL;
let files: Map<string, string>;

const rows = (name: string): Record<string, unknown>[] => JSON.parse(files.get(`${name}.json`)!) as Record<string, unknown>[];

beforeAll(async () => {
  house = await openHouse();
  t = await signUp(house);
  await t.topUp(5000);
  await t.redeem(500);
  const line = await t.buy('japan-3gb-15d', { promo: false });
  iccid = line.iccid;
  const phone = newPhone(house);
  await phone.download(t, line.lineId);
  await phone.enable(iccid);
  await phone.report();
  await use(house, { iccid, bytes: 12_345 });
  await t.contact('=cmd|Example; Hotel, "Kyōto"');
  receipt = await t.apply({ reason: 'tripOver' });
  await house.run();
  await phone.remove(iccid);
  await phone.report();
  const { text } = await t.mailAbout(`Your data (${receipt.caseNumber})`);
  link = new URL(/http\S+\/v1\/exports\/\S+/.exec(text)![0]);
  const answer = await fetch(link);
  expect(answer.headers.get('content-type')).toBe('application/zip');
  expect(answer.headers.get('content-disposition')).toContain('yuanyou-export.zip');
  files = await unzip(Buffer.from(await answer.arrayBuffer()));
});
afterAll(() => house.stop());

describe('the export', () => {
  test('holds every list of every slice as JSON and CSV, and the contacts as vCard; its link outlives the account', async () => {
    expect((await t.status(receipt)).state).toBe('completed');
    const lists = ['account', 'allowances', 'balance-history', 'closure-cases', 'contacts', 'devices', 'lines', 'messages', 'orders', 'payments',
      'refunds', 'sessions', 'usage', 'vouchers'];
    const there = [...files.keys()];
    expect(there).toEqual(expect.arrayContaining([...lists.flatMap((name) => [`${name}.csv`, `${name}.json`]), 'contacts.vcf']));
    expect(there.filter((name) => name.endsWith('.json')).every((name) => there.includes(name.replace(/json$/, 'csv')))).toBe(true);
  });

  test('says what the account held', () => {
    expect(rows('account')).toMatchObject([{ id: t.accountId, email: t.email, name: t.name, language: 'en' }]);
    expect(rows('lines')).toMatchObject([{ iccid, service: 'terminated' }]);
    expect(rows('payments')).toMatchObject([{ amountMinor: 5000, status: 'captured', card: 'visa 4242' }]);
    expect(rows('vouchers')).toMatchObject([{ amountMinor: 500 }]);
    expect(rows('orders')).toMatchObject([{ state: 'fulfilled', paidFromBalanceMinor: 900, paidFromPromotionalCreditMinor: 0 }]);
    expect(rows('usage')).toMatchObject([{ bytes: 12_345, network: '44010' }]);
    expect(rows('devices')).toHaveLength(1);
    expect(rows('sessions')).toHaveLength(1);
    expect(rows('closure-cases')).toMatchObject([{ caseNumber: receipt.caseNumber, reason: 'tripOver' }]);
    expect(rows('messages').some(({ subject }) => String(subject).includes(receipt.caseNumber))).toBe(true);
    const history = rows('balance-history');
    expect(history.reduce((sum, { amountMinor }) => sum + Number(amountMinor), 0)).toBe(0);
  });

  test('keeps strange characters whole, and no cell is a formula', () => {
    const name = '=cmd|Example; Hotel, "Kyōto"';
    expect(rows('contacts')).toMatchObject([{ name, note: 'by the river, "quiet"' }]);
    expect(files.get('contacts.csv')).toContain(`"'=cmd|Example; Hotel, ""Kyōto"""`);
    const card = files.get('contacts.vcf')!;
    expect(card).toMatch(/^BEGIN:VCARD\r\nVERSION:4.0\r\n/);
    expect(card).toContain('FN:=cmd|Example\\; Hotel\\, "Kyōto"\r\n');
    expect(card).toContain('EMAIL:hotel@example.test\r\n');
    for (const [file, text] of files) if (file.endsWith('.csv')) expect(text).not.toMatch(/(^|\r\n|,)"?[=@]/);
  });

  test('lies sealed: its bytes show nothing of it', async () => {
    const { sealed } = await house.db.one<{ sealed: Buffer }>(sql`
      select string_agg(c.bytes, ''::bytea order by c.position) as sealed from blobs.chunk c join closure.export e on e.blob_id = c.blob_id`);
    expect(sealed.length).toBeGreaterThan(1000);
    for (const value of [t.email, t.name, iccid, 'hotel@example.test', 'PK', 'account.json']) {
      const at = value === 'PK' ? sealed.subarray(0, 2).toString() : sealed.includes(value) ? value : '';
      expect(at).not.toBe(value);
    }
    const token = link.searchParams.get('token')!;
    const { found } = await house.db.one<{ found: bigint }>(sql`select count(*) as found from closure.export where encode(token_hash, 'escape') like ${`%${token}%`}`);
    expect(found).toBe(0n);
  });

  test('refuses a wrong token and an unknown export alike', async () => {
    const exportId = link.pathname.split('/').at(-1)!;
    const token = link.searchParams.get('token')!;
    const wrong = `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`;
    const ask = (id: string, given: string) => house.client().call(closureRoutes.downloadExport, { params: { exportId: id }, query: { token: given } });
    expect(await refusal(ask(exportId, wrong))).toBe('404 closure/no-such-export');
    expect(await refusal(ask('0198c5d2-0000-7000-8000-00000000ffff', token))).toBe('404 closure/no-such-export');
    expect(await refusal(ask(exportId, token))).toBe('answered');
  });

  test('is not made where it was not chosen', async () => {
    const other = await signUp(house);
    const mine = await other.apply({ export: false });
    await house.run();
    expect((await other.status(mine)).state).toBe('completed');
    expect((await other.mail()).some(({ subject }) => subject.startsWith('Your data'))).toBe(false);
  });

  test('expires: the link ends and the bytes go', async () => {
    await house.later(30 * 86_400_000 - 3_600_000);
    expect((await fetch(link)).status).toBe(200);
    await house.later(2 * 3_600_000);
    expect((await fetch(link)).status).toBe(404);
    await house.later(600_000);
    expect((await house.db.one<{ n: bigint }>(sql`select count(*) as n from blobs.chunk c join closure.export e on e.blob_id = c.blob_id`)).n).toBe(0n);
  });
});
