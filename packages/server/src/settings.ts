import { z } from 'zod';

/** One variable of the environment: what it means, how it is read and what stands when it is absent. */
export interface Setting<T = unknown> {
  readonly group: string;
  readonly about: string;
  readonly shape: z.ZodType<T, string>;
  /** As it would be written in the environment; none where absence is a meaning of its own. */
  readonly fallback?: string;
  /** What stands in place of an absent value, in words. */
  readonly otherwise?: string;
  /** May also be given as a file's path in NAME_FILE; never shown. */
  readonly secret?: true;
  /** A line for the example file, where the fallback would not show what a value looks like. */
  readonly example?: string;
}

const whole = (least: number, most: number) =>
  z.string().regex(/^\d{1,9}$/, 'a whole number').transform(Number)
    .refine((n) => n >= least && n <= most, `a number from ${least} to ${most}`);
const port = whole(0, 65_535);
const onOff = z.enum(['on', 'off'], 'on or off').transform((text) => text === 'on');
const list = z.string().transform((text) => text.split(',').map((part) => part.trim()).filter((part) => part !== ''));
const plain = z.string().max(500);

const urlOf = (...protocols: readonly string[]) => z.string().refine((text) => {
  try {
    return protocols.includes(new URL(text).protocol);
  } catch {
    return false;
  }
}, `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
const webUrl = urlOf('http:', 'https:').refine((text) => !/[?#]/.test(text), 'a URL without query or fragment')
  .transform((text) => text.replace(/\/$/, ''));
const sqlUrl = urlOf('postgres:', 'postgresql:').refine((text) => {
  try {
    return decodeURIComponent(new URL(text).pathname).length > 1;
  } catch {
    return false;
  }
}, 'a URL that names a database: postgresql://user:password@host:5432/name');
const key32 = z.string().transform((text) => Buffer.from(text.trim(), 'base64')).refine((bytes) => bytes.length === 32, '32 bytes in base64');
const hostPort = z.string().regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?$/, 'host or host:port, in lower case');

const faultShape = /^[\w-]+:[\w-]+:(?:undo-)?(?:before|after)=(?:throw|sigkill)(?:\*\d{1,4})?$/;

type Rest = Omit<Setting, 'group' | 'about' | 'shape'>;
const setting = <T, const R extends Rest>(group: string, about: string, shape: z.ZodType<T, string>, rest: R): Setting<T> & R =>
  ({ group, about, shape, ...rest });

/** Every variable the server reads. `--help`, the example file and the checks follow from this table. */
export const settings = {
  YUANYOU_MODE: setting('What runs', 'development, production or test. Production refuses demo accounts, the development PKI and default secrets.',
    z.enum(['development', 'production', 'test'], 'development, production or test'), { fallback: 'development' }),
  YUANYOU_DATA: setting('What runs', 'The data folder: embedded database, key files, development PKI, feeds.', plain,
    { fallback: './data' }),
  YUANYOU_PROVIDER_NAME: setting('What runs', 'The service\'s name in messages and certificates.', plain.min(1).max(80),
    { fallback: 'Yuanyou' }),
  YUANYOU_DEMO: setting('What runs', 'Seeds demo plans, a demo operator and its stock.', onOff,
    { otherwise: 'on in development, off elsewhere' }),

  DATABASE_URL: setting('Database', 'PostgreSQL 15 or newer.', sqlUrl,
    { secret: true, otherwise: 'embedded PostgreSQL in the data folder', example: 'postgresql://yuanyou:PASSWORD@db.example.test:5432/yuanyou' }),
  KEYS_DATABASE_URL: setting('Database', 'The key store: another database, kept out of the main one\'s backups.', sqlUrl,
    { secret: true, otherwise: 'DATABASE_URL\'s name with _keys behind it; production wants it said',
      example: 'postgresql://yuanyou:PASSWORD@keys.example.test:5432/yuanyou_keys' }),
  YUANYOU_DATABASE_POOLING: setting('Database', 'session, or transaction when the URL leads to a pooler that works by transaction.',
    z.enum(['session', 'transaction'], 'session or transaction'), { fallback: 'session' }),
  YUANYOU_DATABASE_CONNECTIONS: setting('Database', 'Connections of one process at most.', whole(2, 500), { fallback: '12' }),
  YUANYOU_STATEMENT_TIMEOUT_MS: setting('Database', 'Longest time of one statement.', whole(100, 3_600_000), { fallback: '30000' }),

  YUANYOU_MASTER_KEY: setting('Keys', 'Wraps every data key and key file: 32 bytes in base64.', key32,
    { secret: true, otherwise: 'made in the data folder; production wants it said', example: '$(openssl rand -base64 32)' }),
  YUANYOU_PREVIOUS_MASTER_KEYS: setting('Keys', 'Master keys in force before, separated by commas.', list.pipe(z.array(key32).max(10)),
    { secret: true, otherwise: 'none' }),
  YUANYOU_KEY_FOLDER: setting('Keys', 'Folder of key files, sealed under the master key: signers, and the keys that erasing destroys. One for all machines; keep no old versions of it.',
    plain.min(1), { otherwise: 'keys/files in the data folder; production with DATABASE_URL wants it said', example: '/srv/yuanyou/keys' }),
  YUANYOU_INDEX_SECRET: setting('Keys', 'What blind indexes derive from, once the master key was changed: the first one.', key32,
    { secret: true, otherwise: 'the master key' }),

  PORT: setting('Listeners', 'Port of the HTTP API; 0 picks a free one.', port, { fallback: '8080' }),
  YUANYOU_HOST: setting('Listeners', 'Address that the listeners bind.', plain.min(1), { fallback: '127.0.0.1' }),
  YUANYOU_PUBLIC_URL: setting('Listeners', 'Where the API is reached from outside.', webUrl,
    { otherwise: 'http://localhost:PORT', example: 'https://esim.example.test' }),
  YUANYOU_ORIGINS: setting('Listeners', 'Further web origins whose pages may use the session cookie, separated by commas.',
    list.pipe(z.array(webUrl)), { otherwise: 'none' }),
  YUANYOU_TRUST_PROXY: setting('Listeners', 'Proxies whose X-Forwarded-For counts: addresses or networks, separated by commas.', list,
    { otherwise: 'none' }),
  YUANYOU_REQUESTS_PER_MINUTE: setting('Listeners', 'Requests of one address before it is told to wait; 0 sets no limit.',
    whole(0, 1_000_000), { fallback: '600' }),
  YUANYOU_METRICS_SECRET: setting('Listeners', 'Bearer that may read /metrics.', plain.min(16),
    { secret: true, otherwise: 'this machine only, and not through a proxy' }),

  YUANYOU_ES9_PORT: setting('SM-DP+', 'Port of the HTTPS listener for phones (ES9+); 0 picks a free one.', port, { fallback: '8443' }),
  YUANYOU_ES9_ADDRESS: setting('SM-DP+', 'The SM-DP+ address in activation codes, as the certificates name it.', hostPort,
    { otherwise: 'localhost:PORT of ES9+', example: 'smdp.example.test' }),
  YUANYOU_PKI: setting('SM-DP+', 'Folder with certificates and keys of the SM-DP+.', plain.min(1),
    { otherwise: 'a development PKI', example: '/etc/yuanyou/pki' }),
  YUANYOU_DEVELOPMENT_PKI: setting('SM-DP+', 'Folder of the development PKI, made at the first start. One for all machines on a database.', plain.min(1),
    { otherwise: 'pki in the data folder' }),

  STRIPE_SECRET_KEY: setting('Payments', 'Secret key at the payment gateway.', plain.min(8),
    { secret: true, fallback: 'sk_test_simulator' }),
  STRIPE_WEBHOOK_SECRET: setting('Payments', 'Secret that the gateway signs its webhooks with.', plain.min(8),
    { secret: true, fallback: 'whsec_simulator_development' }),
  YUANYOU_GATEWAY_URL: setting('Payments', 'Where the gateway\'s API is.', webUrl,
    { otherwise: 'http://127.0.0.1:8091 (the simulator); in production Stripe\'s own' }),

  YUANYOU_SMTP_URL: setting('Mail', 'Mail server: smtp://user:password@host:587 or smtps://. Production asks for STARTTLS on smtp:// unless the host is this machine.', urlOf('smtp:', 'smtps:'),
    { secret: true, otherwise: 'smtp://127.0.0.1:8092 (the development inbox)', example: 'smtps://user:PASSWORD@mail.example.test' }),
  YUANYOU_MAIL_FROM: setting('Mail', 'Sender\'s address.', z.email('an address'), { fallback: 'no-reply@yuanyou.example' }),
  YUANYOU_MAIL_ERASURE_URL: setting('Mail', 'Where the mail provider takes notices of erasure: POST {requestId, address, forgetAfter}, answered with {receipt}.', webUrl,
    { otherwise: 'the provider is not told', example: 'https://mail.example.test/erasures' }),
  YUANYOU_MAIL_ERASURE_KEY: setting('Mail', 'Bearer for that address.', plain.min(8), { secret: true, otherwise: 'none is sent' }),
  YUANYOU_MAIL_LIMIT_MS: setting('Mail', 'How long handing over one message may take before its process counts as dead; 20000 or more in production.',
    whole(1000, 600_000), { fallback: '60000' }),
  YUANYOU_DKIM_DOMAIN: setting('Mail', 'Domain of the DKIM signature.', plain.min(3),
    { otherwise: 'mail is not signed', example: 'example.test' }),
  YUANYOU_DKIM_SELECTOR: setting('Mail', 'Selector of the DKIM key.', plain.min(1), { otherwise: 'mail is not signed', example: 'y1' }),
  YUANYOU_DKIM_KEY: setting('Mail', 'RSA private key for DKIM, PEM.',
    z.string().includes('PRIVATE KEY', { error: 'a private key in PEM' }), { secret: true, otherwise: 'mail is not signed' }),

  YUANYOU_FEEDS: setting('Operators', 'Folder below which operators leave usage files, one folder each. One for all machines.', plain.min(1),
    { otherwise: 'feeds in the data folder' }),
  YUANYOU_FEED_SECONDS: setting('Operators', 'How often those folders are looked into.', whole(1, 86_400),
    { otherwise: '2 in development, 60 elsewhere' }),
  YUANYOU_DEMO_OPERATOR_URL: setting('Operators', 'Where the demo operator answers.', webUrl, { fallback: 'http://127.0.0.1:8093' }),
  YUANYOU_DEMO_OPERATOR_KEY: setting('Operators', 'Key for the demo operator.', plain.min(8),
    { secret: true, fallback: 'operator-simulator-key' }),

  YUANYOU_LOG_ORIGIN: setting('Transparency', 'Name of the closure log, in its checkpoints. Never changed once in use.',
    z.string().regex(/^[a-z0-9][a-z0-9.-]*(?:\/[A-Za-z0-9._-]+)*$/, 'a name such as log.example.test/closures'),
    { otherwise: 'localhost/closures', example: 'log.example.test/closures' }),
  YUANYOU_LOG_ANCHOR: setting('Transparency', 'Folder where the last checkpoint is kept outside the database and its backups. Best one for all machines.', plain.min(1),
    { otherwise: 'anchor in the data folder' }),
  YUANYOU_COOLING_OFF_DAYS: setting('Closure', 'Days between approval and execution, which the traveller may skip.', whole(0, 14),
    { fallback: '7' }),

  YUANYOU_LOG_LEVEL: setting('Operation', 'trace, debug, info, warn, error or silent.',
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], 'trace, debug, info, warn, error or silent'), { fallback: 'info' }),
  YUANYOU_LOG_FORMAT: setting('Operation', 'json, terminal, or auto: by where standard output goes.',
    z.enum(['json', 'terminal', 'auto'], 'json, terminal or auto'), { fallback: 'auto' }),
  YUANYOU_JOBS_LEASE_MS: setting('Operation', 'How long a process may be silent before others take over its work; 5000 or more in production.',
    whole(200, 600_000), { fallback: '10000' }),
  YUANYOU_FAULTS: setting('Operation', 'Saga points to break, for tests: kind:step:moment=throw or =sigkill, separated by commas.',
    list.pipe(z.array(z.string().regex(faultShape, 'kind:step:moment=throw or =sigkill'))), { otherwise: 'none' }),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

type Read<S> = S extends Setting<infer T> ? T : never;
/** What the table yields: a value for each variable that is set or has a fallback. */
export type SettingValues = {
  readonly [N in SettingName]: (typeof settings)[N] extends { fallback: string }
    ? Read<(typeof settings)[N]>
    : Read<(typeof settings)[N]> | undefined;
};
