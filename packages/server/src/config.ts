import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { settings, type Setting, type SettingName, type SettingValues } from './settings.ts';

export type Mode = 'development' | 'production' | 'test';

/** What the environment asks for, checked and with every default filled in. */
export interface Config {
  readonly mode: Mode;
  readonly dataFolder: string;
  /** The service's name in messages and certificates. */
  readonly providerName: string;
  readonly database: DatabaseConfig;
  readonly keys: {
    /** Undefined: made in `masterKeyFile` at the first start. */
    readonly masterKey: Buffer | undefined;
    readonly masterKeyFile: string;
    readonly previousMasterKeys: readonly Buffer[];
    readonly indexSecret: Buffer | undefined;
    readonly folder: string;
  };
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly publicUrl: string;
    readonly origins: readonly string[];
    readonly trustProxy: readonly string[];
    readonly requestsPerMinute: number;
    readonly metricsSecret: string | undefined;
  };
  readonly es9: {
    readonly host: string;
    readonly port: number;
    /** The SM-DP+ address in activation codes. */
    readonly address: string;
    readonly pki: { readonly kind: 'development' | 'given'; readonly folder: string };
  };
  readonly gateway: { readonly secretKey: string; readonly webhookSecret: string; readonly url: string | undefined };
  readonly mail: {
    readonly url: string;
    /** Whether a server that does not speak TLS is refused. */
    readonly requireTls: boolean;
    readonly fromName: string;
    readonly fromAddress: string;
    /** How long one attempt to hand a message over may take. */
    readonly limitMs: number;
    /** Where the mail provider is told that it holds data of somebody who left. */
    readonly erasure: { readonly url: string; readonly key: string | undefined } | undefined;
    readonly dkim: { readonly domain: string; readonly selector: string; readonly privateKeyPem: string } | undefined;
  };
  readonly partners: { readonly httpsOnly: boolean };
  readonly feeds: { readonly folder: string; readonly everyMs: number; readonly settledMs: number };
  /** Present when demo plans, operator and stock are to be seeded. */
  readonly demo: { readonly operator: { readonly url: string; readonly apiKey: string; readonly feedFolder: string } } | undefined;
  readonly transparency: { readonly origin: string; readonly anchorFolder: string };
  readonly closure: { readonly coolingOffDays: number };
  /** How long a worker's lease lasts unless it is renewed. */
  readonly jobs: { readonly leaseMs: number };
  readonly log: { readonly level: SettingValues['YUANYOU_LOG_LEVEL']; readonly format: SettingValues['YUANYOU_LOG_FORMAT'] };
  /** Places where sagas are to break; always empty in production. */
  readonly faults: readonly { readonly at: string; readonly kind: 'throw' | 'sigkill'; readonly times: number }[];
  /** What is worth a line in the log at start. */
  readonly warnings: readonly string[];
}

export interface DatabaseConfig {
  /** Embedded: our own PostgreSQL's folder. Given: addresses; `mayMakeKeys` when the keys address follows from the main one. */
  readonly where:
    | { readonly kind: 'embedded'; readonly folder: string }
    | { readonly kind: 'given'; readonly url: string; readonly keysUrl: string; readonly mayMakeKeys: boolean };
  readonly pooling: 'session' | 'transaction';
  readonly maxConnections: number;
  readonly statementTimeoutMs: number;
}

/** What is wrong with the environment: a line for each fault. */
export class ConfigError extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'ConfigError';
    this.lines = lines;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError with every fault found */
export function loadConfig(env: Environment, cwd: string = process.cwd()): Config {
  const values = readValues(env);
  const faults = [...contradictions(values), ...(values.YUANYOU_MODE === 'production' ? productionFaults(values) : [])];
  if (faults.length > 0) throw new ConfigError(faults);
  return arrange(values, cwd, unknownNames(env));
}

function readValues(env: Environment): SettingValues {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings) as [SettingName, Setting][]) {
    const text = textOf(env, name, setting, faults) ?? setting.fallback;
    if (text === undefined) continue;
    const read = setting.shape.safeParse(text);
    if (read.success) values[name] = read.data;
    else {
      const shown = setting.secret === true ? '' : `, not "${text.slice(0, 80)}"`;
      faults.push(`${name}: must be ${read.error.issues[0]?.message ?? 'another value'}${shown}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return values as SettingValues;
}

/** An empty variable counts as absent: that is how many tools pass one that is not set. */
function textOf(env: Environment, name: string, setting: Setting, faults: string[]): string | undefined {
  const given = env[name] === '' ? undefined : env[name];
  const file = setting.secret === true && env[`${name}_FILE`] !== '' ? env[`${name}_FILE`] : undefined;
  if (file === undefined) return given;
  if (given !== undefined) {
    faults.push(`${name}: given twice, also as ${name}_FILE`);
    return undefined;
  }
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    faults.push(`${name}_FILE: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}): ${file}`);
    return undefined;
  }
}

function contradictions(v: SettingValues): string[] {
  const faults: string[] = [];
  if (v.PORT !== 0 && v.PORT === v.YUANYOU_ES9_PORT) faults.push(`PORT and YUANYOU_ES9_PORT: both are ${v.PORT}`);
  if (v.KEYS_DATABASE_URL !== undefined && v.DATABASE_URL === undefined) faults.push('KEYS_DATABASE_URL: given without DATABASE_URL');
  if (v.DATABASE_URL !== undefined && v.KEYS_DATABASE_URL !== undefined && placeOf(v.DATABASE_URL) === placeOf(v.KEYS_DATABASE_URL)) {
    faults.push('KEYS_DATABASE_URL: names the same database as DATABASE_URL; keys must lie apart from what they open');
  }
  if (v.YUANYOU_PKI !== undefined && v.YUANYOU_DEVELOPMENT_PKI !== undefined) {
    faults.push('YUANYOU_DEVELOPMENT_PKI: given with YUANYOU_PKI, which takes its place');
  }
  const dkim = [v.YUANYOU_DKIM_DOMAIN, v.YUANYOU_DKIM_SELECTOR, v.YUANYOU_DKIM_KEY].filter((value) => value !== undefined).length;
  if (dkim !== 0 && dkim !== 3) faults.push('YUANYOU_DKIM_DOMAIN, YUANYOU_DKIM_SELECTOR and YUANYOU_DKIM_KEY: all or none');
  return faults;
}

function placeOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url);
  return [searchParams.get('host') ?? hostname, port === '' ? '5432' : port, decodeURIComponent(pathname)].join(' ');
}

const reservedDomain = /@(?:.*\.)?(?:example|test|invalid|localhost|example\.(?:com|net|org))$/;

/** Mail servers may take their time; a message whose sender counts as dead too soon goes out twice. */
const shortestMailLimitMs = 20_000;

/** A shorter lease is lost to a pause of the process or the database, and work is done twice for nothing. */
const shortestLeaseMs = 5000;

/** What is fine for trying out and must not go live. */
function productionFaults(v: SettingValues): string[] {
  const refusals: readonly (readonly [boolean, string])[] = [
    [v.YUANYOU_DEMO === true, 'YUANYOU_DEMO: demo accounts and stock are refused'],
    [v.YUANYOU_PKI === undefined, 'YUANYOU_PKI: the development PKI is refused; name the folder of your own certificates'],
    [v.YUANYOU_ES9_ADDRESS === undefined, 'YUANYOU_ES9_ADDRESS: must be said'],
    [v.YUANYOU_MASTER_KEY === undefined, 'YUANYOU_MASTER_KEY: must be given, or YUANYOU_MASTER_KEY_FILE'],
    [v.YUANYOU_MASTER_KEY !== undefined && new Set(v.YUANYOU_MASTER_KEY).size < 8, 'YUANYOU_MASTER_KEY: is not random'],
    [v.DATABASE_URL !== undefined && v.KEYS_DATABASE_URL === undefined, 'KEYS_DATABASE_URL: must be said'],
    [v.DATABASE_URL !== undefined && v.YUANYOU_KEY_FOLDER === undefined,
      'YUANYOU_KEY_FOLDER: must be said, one for all machines on the database,'],
    [v.YUANYOU_PUBLIC_URL?.startsWith('https:') !== true, 'YUANYOU_PUBLIC_URL: must be said and begin with https://'],
    [v.STRIPE_SECRET_KEY === settings.STRIPE_SECRET_KEY.fallback, 'STRIPE_SECRET_KEY: the default secret is refused'],
    [v.STRIPE_WEBHOOK_SECRET === settings.STRIPE_WEBHOOK_SECRET.fallback, 'STRIPE_WEBHOOK_SECRET: the default secret is refused'],
    [v.YUANYOU_GATEWAY_URL?.startsWith('http:') === true, 'YUANYOU_GATEWAY_URL: must begin with https://'],
    [v.YUANYOU_MAIL_ERASURE_URL?.startsWith('http:') === true, 'YUANYOU_MAIL_ERASURE_URL: must begin with https://'],
    [v.YUANYOU_SMTP_URL === undefined, 'YUANYOU_SMTP_URL: must be said'],
    [reservedDomain.test(v.YUANYOU_MAIL_FROM), 'YUANYOU_MAIL_FROM: must be an address of your own domain'],
    [v.YUANYOU_LOG_ORIGIN === undefined, 'YUANYOU_LOG_ORIGIN: must be said'],
    [v.YUANYOU_MAIL_LIMIT_MS < shortestMailLimitMs, `YUANYOU_MAIL_LIMIT_MS: must be ${shortestMailLimitMs} or more`],
    [v.YUANYOU_JOBS_LEASE_MS < shortestLeaseMs, `YUANYOU_JOBS_LEASE_MS: must be ${shortestLeaseMs} or more`],
    [v.YUANYOU_FAULTS !== undefined, 'YUANYOU_FAULTS: refused'],
  ];
  return refusals.filter(([refused]) => refused).map(([, line]) => `${line} in production`);
}

/** What is right for one machine and wrong for several. */
function productionWarnings(v: SettingValues): string[] {
  if (v.DATABASE_URL === undefined) return ['production on the embedded database: its folder is yours to back up'];
  const own = (['YUANYOU_LOG_ANCHOR', 'YUANYOU_FEEDS'] as const).filter((name) => v[name] === undefined);
  return own.map((name) => `${name} is not said: each machine has a folder of its own, which the others do not see`);
}

/** A misspelt name would otherwise leave its default standing without a word. */
function unknownNames(env: Environment): string[] {
  const all = Object.entries(settings) as [string, Setting][];
  const known = new Set(all.flatMap(([name, setting]) => (setting.secret === true ? [name, `${name}_FILE`] : [name])));
  return Object.keys(env).filter((name) => name.startsWith('YUANYOU_') && !name.startsWith('YUANYOU_TEST_') && !known.has(name));
}

function arrange(v: SettingValues, cwd: string, unknown: readonly string[]): Config {
  const mode = v.YUANYOU_MODE;
  const dataFolder = resolve(cwd, v.YUANYOU_DATA);
  const feeds = v.YUANYOU_FEEDS === undefined ? join(dataFolder, 'feeds') : resolve(cwd, v.YUANYOU_FEEDS);
  const demo = v.YUANYOU_DEMO ?? mode === 'development';
  return {
    mode,
    dataFolder,
    providerName: v.YUANYOU_PROVIDER_NAME,
    database: databaseOf(v, dataFolder),
    keys: {
      masterKey: v.YUANYOU_MASTER_KEY,
      masterKeyFile: join(dataFolder, 'keys', 'master.key'),
      previousMasterKeys: v.YUANYOU_PREVIOUS_MASTER_KEYS ?? [],
      indexSecret: v.YUANYOU_INDEX_SECRET,
      folder: v.YUANYOU_KEY_FOLDER === undefined ? join(dataFolder, 'keys', 'files') : resolve(cwd, v.YUANYOU_KEY_FOLDER),
    },
    http: {
      host: v.YUANYOU_HOST,
      port: v.PORT,
      publicUrl: v.YUANYOU_PUBLIC_URL ?? `http://localhost:${v.PORT}`,
      origins: v.YUANYOU_ORIGINS ?? [],
      trustProxy: v.YUANYOU_TRUST_PROXY ?? [],
      requestsPerMinute: v.YUANYOU_REQUESTS_PER_MINUTE,
      metricsSecret: v.YUANYOU_METRICS_SECRET,
    },
    es9: {
      host: v.YUANYOU_HOST,
      port: v.YUANYOU_ES9_PORT,
      address: v.YUANYOU_ES9_ADDRESS ?? `localhost:${v.YUANYOU_ES9_PORT}`,
      pki: v.YUANYOU_PKI === undefined
        ? { kind: 'development', folder: v.YUANYOU_DEVELOPMENT_PKI === undefined ? join(dataFolder, 'pki') : resolve(cwd, v.YUANYOU_DEVELOPMENT_PKI) }
        : { kind: 'given', folder: resolve(cwd, v.YUANYOU_PKI) },
    },
    gateway: {
      secretKey: v.STRIPE_SECRET_KEY,
      webhookSecret: v.STRIPE_WEBHOOK_SECRET,
      url: v.YUANYOU_GATEWAY_URL ?? (mode === 'production' ? undefined : 'http://127.0.0.1:8091'),
    },
    mail: mailOf(v),
    partners: { httpsOnly: mode === 'production' },
    feeds: { folder: feeds, everyMs: 1000 * (v.YUANYOU_FEED_SECONDS ?? (mode === 'development' ? 2 : 60)), settledMs: mode === 'test' ? 0 : 2000 },
    demo: demo
      ? { operator: { url: v.YUANYOU_DEMO_OPERATOR_URL, apiKey: v.YUANYOU_DEMO_OPERATOR_KEY, feedFolder: join(feeds, 'demo') } }
      : undefined,
    transparency: {
      origin: v.YUANYOU_LOG_ORIGIN ?? 'localhost/closures',
      anchorFolder: v.YUANYOU_LOG_ANCHOR === undefined ? join(dataFolder, 'anchor') : resolve(cwd, v.YUANYOU_LOG_ANCHOR),
    },
    closure: { coolingOffDays: v.YUANYOU_COOLING_OFF_DAYS },
    jobs: { leaseMs: v.YUANYOU_JOBS_LEASE_MS },
    log: { level: v.YUANYOU_LOG_LEVEL, format: v.YUANYOU_LOG_FORMAT },
    faults: (v.YUANYOU_FAULTS ?? []).map(faultOf),
    warnings: [...unknown.map((name) => `${name} is not a variable of ours`), ...(mode === 'production' ? productionWarnings(v) : [])],
  };
}

function databaseOf(v: SettingValues, dataFolder: string): DatabaseConfig {
  const limits = {
    pooling: v.YUANYOU_DATABASE_POOLING, maxConnections: v.YUANYOU_DATABASE_CONNECTIONS, statementTimeoutMs: v.YUANYOU_STATEMENT_TIMEOUT_MS,
  };
  if (v.DATABASE_URL === undefined) return { where: { kind: 'embedded', folder: join(dataFolder, 'postgres') }, ...limits };
  const keysUrl = v.KEYS_DATABASE_URL ?? keysBeside(v.DATABASE_URL);
  return { where: { kind: 'given', url: v.DATABASE_URL, keysUrl, mayMakeKeys: v.KEYS_DATABASE_URL === undefined }, ...limits };
}

function keysBeside(url: string): string {
  const beside = new URL(url);
  beside.pathname = `${beside.pathname}_keys`;
  return beside.href;
}

function mailOf(v: SettingValues): Config['mail'] {
  const { YUANYOU_DKIM_DOMAIN: domain, YUANYOU_DKIM_SELECTOR: selector, YUANYOU_DKIM_KEY: privateKeyPem } = v;
  const url = v.YUANYOU_SMTP_URL ?? 'smtp://127.0.0.1:8092';
  return {
    url,
    requireTls: v.YUANYOU_MODE === 'production' && url.startsWith('smtp:') && !isThisMachine(new URL(url).hostname),
    fromName: v.YUANYOU_PROVIDER_NAME,
    fromAddress: v.YUANYOU_MAIL_FROM,
    limitMs: v.YUANYOU_MAIL_LIMIT_MS,
    erasure: v.YUANYOU_MAIL_ERASURE_URL === undefined ? undefined : { url: v.YUANYOU_MAIL_ERASURE_URL, key: v.YUANYOU_MAIL_ERASURE_KEY },
    dkim: domain !== undefined && selector !== undefined && privateKeyPem !== undefined ? { domain, selector, privateKeyPem } : undefined,
  };
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function faultOf(text: string): Config['faults'][number] {
  const [at = '', order = ''] = text.split('=');
  const [kind, times] = order.split('*');
  return { at, kind: kind === 'sigkill' ? 'sigkill' : 'throw', times: Number(times ?? 1) };
}
