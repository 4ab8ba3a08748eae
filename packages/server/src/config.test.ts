import { readFileSync, mkdtempSync, writeFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig, type ConfigError } from './config.ts';
import { exampleText, helpText } from './settings-text.ts';
import { settings } from './settings.ts';

const masterKey = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7 + 3)).toString('base64');
const production = {
  YUANYOU_MODE: 'production', YUANYOU_PKI: '/etc/pki', YUANYOU_ES9_ADDRESS: 'smdp.yuanyou.cn', YUANYOU_MASTER_KEY: masterKey,
  DATABASE_URL: 'postgresql://y@db:5432/y', KEYS_DATABASE_URL: 'postgresql://y@keys:5432/k', YUANYOU_PUBLIC_URL: 'https://yuanyou.cn',
  STRIPE_SECRET_KEY: 'sk_live_abc', STRIPE_WEBHOOK_SECRET: 'whsec_abc', YUANYOU_SMTP_URL: 'smtps://mail.yuanyou.cn',
  YUANYOU_MAIL_FROM: 'no-reply@yuanyou.cn', YUANYOU_LOG_ORIGIN: 'log.yuanyou.cn/closures', YUANYOU_KEY_FOLDER: '/srv/keys',
};

function faults(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig(env, '/srv');
    return [];
  } catch (error) {
    return (error as ConfigError).lines;
  }
}

test('an empty environment is development with everything in the data folder', () => {
  const config = loadConfig({}, '/srv');
  expect(config).toMatchObject({
    mode: 'development', dataFolder: '/srv/data', database: { where: { kind: 'embedded', folder: '/srv/data/postgres' } },
    http: { port: 8080, publicUrl: 'http://localhost:8080' }, es9: { port: 8443, address: 'localhost:8443', pki: { kind: 'development' } },
    closure: { coolingOffDays: 7 }, warnings: [],
  });
  expect(config.demo?.operator.feedFolder).toBe('/srv/data/feeds/demo');
});

test('every wrong value is told at once, a line each, and no secret is repeated', () => {
  expect(faults({ PORT: '99999', YUANYOU_MODE: 'prod', YUANYOU_MASTER_KEY: 'c2hvcnQ=', DATABASE_URL: 'mysql://me:hunter2@db/x' })).toEqual([
    'YUANYOU_MODE: must be development, production or test, not "prod"',
    'DATABASE_URL: must be a URL that begins with postgres:// or postgresql://',
    'YUANYOU_MASTER_KEY: must be 32 bytes in base64',
    'PORT: must be a number from 0 to 65535, not "99999"',
  ]);
});

test('contradictions are refused', () => {
  expect(faults({ PORT: '8443' })).toEqual(['PORT and YUANYOU_ES9_PORT: both are 8443']);
  expect(faults({ KEYS_DATABASE_URL: 'postgresql://h/k' })).toEqual(['KEYS_DATABASE_URL: given without DATABASE_URL']);
  expect(faults({ DATABASE_URL: 'postgresql://a@h/k', KEYS_DATABASE_URL: 'postgres://b@h:5432/k' })[0]).toMatch(/^KEYS_DATABASE_URL: names the same database/);
  expect(faults({ YUANYOU_DKIM_DOMAIN: 'yuanyou.cn' })[0]).toMatch(/all or none$/);
  expect(faults({ PORT: '0', YUANYOU_ES9_PORT: '0' })).toEqual([]);
});

test('the keys database follows from the main one where nothing is said', () => {
  expect(loadConfig({ DATABASE_URL: 'postgresql://a:p@h:5433/main?sslmode=require' }).database.where).toEqual({
    kind: 'given', url: 'postgresql://a:p@h:5433/main?sslmode=require', keysUrl: 'postgresql://a:p@h:5433/main_keys?sslmode=require', mayMakeKeys: true,
  });
});

test('production accepts a complete environment and seeds no demo', () => {
  expect(faults(production)).toEqual([]);
  expect(loadConfig(production)).toMatchObject({ mode: 'production', gateway: { url: undefined }, faults: [] });
  expect(loadConfig(production).demo).toBeUndefined();
});

test('production refuses demo accounts, the development PKI and default secrets', () => {
  const nothing = faults({ YUANYOU_MODE: 'production' });
  for (const name of ['YUANYOU_PKI', 'YUANYOU_ES9_ADDRESS', 'YUANYOU_MASTER_KEY', 'YUANYOU_PUBLIC_URL', 'STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET',
    'YUANYOU_SMTP_URL', 'YUANYOU_MAIL_FROM', 'YUANYOU_LOG_ORIGIN']) {
    expect(nothing.filter((line) => line.startsWith(`${name}: `)), name).toHaveLength(1);
  }
  const one = (change: Record<string, string | undefined>): string | undefined => faults({ ...production, ...change })[0];
  expect(one({ YUANYOU_DEMO: 'on' })).toMatch(/^YUANYOU_DEMO: demo accounts/);
  expect(one({ YUANYOU_MASTER_KEY: Buffer.alloc(32).toString('base64') })).toMatch(/is not random/);
  expect(one({ KEYS_DATABASE_URL: undefined })).toMatch(/^KEYS_DATABASE_URL/);
  expect(one({ YUANYOU_PUBLIC_URL: 'http://yuanyou.cn' })).toMatch(/https/);
  expect(one({ YUANYOU_GATEWAY_URL: 'http://127.0.0.1:8091' })).toMatch(/^YUANYOU_GATEWAY_URL/);
  expect(one({ YUANYOU_FAULTS: 'closure:settle:after=throw' })).toMatch(/^YUANYOU_FAULTS/);
  expect(one({ YUANYOU_JOBS_LEASE_MS: '1000' })).toMatch(/^YUANYOU_JOBS_LEASE_MS: must be 5000 or more/);
  expect(one({ YUANYOU_MAIL_LIMIT_MS: '4000' })).toMatch(/^YUANYOU_MAIL_LIMIT_MS: must be 20000 or more/);
  expect(one({ YUANYOU_MAIL_FROM: 'me@mail.example.test' })).toMatch(/^YUANYOU_MAIL_FROM/);
});

test('production on a database of several machines wants the key folder said, and warns of folders that the others do not see', () => {
  expect(faults({ ...production, YUANYOU_KEY_FOLDER: undefined })).toEqual([
    'YUANYOU_KEY_FOLDER: must be said, one for all machines on the database, in production',
  ]);
  expect(faults({ ...production, YUANYOU_KEY_FOLDER: undefined, DATABASE_URL: undefined, KEYS_DATABASE_URL: undefined })).toEqual([]);
  expect(loadConfig(production).warnings.map((line) => line.split(' ')[0])).toEqual(['YUANYOU_LOG_ANCHOR', 'YUANYOU_FEEDS']);
  expect(loadConfig({ ...production, YUANYOU_LOG_ANCHOR: '/srv/anchor', YUANYOU_FEEDS: '/srv/feeds' }).warnings).toEqual([]);
});

test('what machines share may be named', () => {
  const own = loadConfig({}, '/srv');
  expect([own.keys.folder, own.es9.pki.folder, own.transparency.anchorFolder]).toEqual(['/srv/data/keys/files', '/srv/data/pki', '/srv/data/anchor']);
  const shared = loadConfig({ YUANYOU_KEY_FOLDER: '/shared/keys', YUANYOU_DEVELOPMENT_PKI: '/shared/pki', YUANYOU_LOG_ANCHOR: '/shared/anchor' });
  expect([shared.keys.folder, shared.es9.pki, shared.transparency.anchorFolder])
    .toEqual(['/shared/keys', { kind: 'development', folder: '/shared/pki' }, '/shared/anchor']);
  expect(faults({ YUANYOU_PKI: '/etc/pki', YUANYOU_DEVELOPMENT_PKI: '/shared/pki' })).toEqual([
    'YUANYOU_DEVELOPMENT_PKI: given with YUANYOU_PKI, which takes its place',
  ]);
});

test('in production what carries personal values goes encrypted', () => {
  expect(faults({ ...production, YUANYOU_MAIL_ERASURE_URL: 'http://mail.yuanyou.cn/erasures' })).toEqual([
    'YUANYOU_MAIL_ERASURE_URL: must begin with https:// in production',
  ]);
  expect(loadConfig(production)).toMatchObject({ partners: { httpsOnly: true } });
  const requires = (url: string, env = production): boolean => loadConfig({ ...env, YUANYOU_SMTP_URL: url }).mail.requireTls;
  expect(['smtp://mail.yuanyou.cn:587', 'smtp://10.0.0.1', 'smtps://mail.yuanyou.cn', 'smtp://localhost:25', 'smtp://127.0.0.1', 'smtp://[::1]:25'].map((url) => requires(url)))
    .toEqual([true, true, false, false, false, false]);
  expect(loadConfig({ YUANYOU_SMTP_URL: 'smtp://mail.yuanyou.cn' })).toMatchObject({ mail: { requireTls: false }, partners: { httpsOnly: false } });
});

test('a secret may come from a file, not from both', () => {
  const folder = mkdtempSync(join(tmpdir(), 'yuanyou-config-'));
  const file = join(folder, 'key');
  writeFileSync(file, `${masterKey}\n`);
  expect(loadConfig({ YUANYOU_MASTER_KEY_FILE: file }).keys.masterKey?.toString('base64')).toBe(masterKey);
  expect(faults({ YUANYOU_MASTER_KEY_FILE: file, YUANYOU_MASTER_KEY: masterKey })).toEqual(['YUANYOU_MASTER_KEY: given twice, also as YUANYOU_MASTER_KEY_FILE']);
  expect(faults({ YUANYOU_MASTER_KEY_FILE: '/nowhere' })).toEqual(['YUANYOU_MASTER_KEY_FILE: cannot be read (ENOENT): /nowhere']);
  rmSync(folder, { recursive: true });
});

test('faults for tests are read as orders', () => {
  expect(loadConfig({ YUANYOU_FAULTS: 'closure:settle:after=sigkill,lines.provision:activate:undo-before=throw*3'.replace('lines.', 'lines-') }).faults).toEqual([
    { at: 'closure:settle:after', kind: 'sigkill', times: 1 }, { at: 'lines-provision:activate:undo-before', kind: 'throw', times: 3 },
  ]);
});

test('a variable that looks like ours and is not is warned of', () => {
  expect(loadConfig({ YUANYOU_PROT: '1', YUANYOU_TEST_FSYNC: '1' }).warnings).toEqual(['YUANYOU_PROT is not a variable of ours']);
});

test('--help names every variable, the example file is in step and parses', () => {
  for (const name of Object.keys(settings)) expect(helpText()).toContain(`  ${name}`);
  const file = join(import.meta.dirname, '..', '..', '..', 'docs', 'config.example.env');
  expect(readFileSync(file, 'utf8')).toBe(exampleText());
  const uncommented = exampleText().split('\n').flatMap((line) => {
    const found = /^#([A-Z][A-Z0-9_]*)=(.+)$/.exec(line);
    return found === null || line.includes('$(') ? [] : [[found[1], found[2]] as const];
  });
  expect(faults(Object.fromEntries(uncommented.filter(([name]) => name !== 'YUANYOU_DKIM_DOMAIN' && name !== 'YUANYOU_DKIM_SELECTOR')))).toEqual([]);
});
