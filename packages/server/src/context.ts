import { allProblems } from '@yuanyou/contract';
import { issuerKeyOf, jwkOfSpki } from '@yuanyou/proof';
import { createAccess } from './access/index.ts';
import type { Access } from './access/index.ts';
import { createAccounts } from './accounts/index.ts';
import { createCatalogue } from './catalogue/index.ts';
import { createClosure } from './closure/index.ts';
import type { ClosureSettings } from './closure/index.ts';
import type { Config } from './config.ts';
import { createInventory } from './inventory/index.ts';
import { createLedger, ledgerEndpoints } from './ledger/index.ts';
import { createLines } from './lines/index.ts';
import { createNotifications, smtpMailer } from './notifications/index.ts';
import { createOperations } from './operations/index.ts';
import { createOrders } from './orders/index.ts';
import { createPartners } from './partners/index.ts';
import { createPayments, paymentCaptured, refundSettled, stripeGateway } from './payments/index.ts';
import { createAudit } from './platform/audit/index.ts';
import { createBlobs } from './platform/blobs/index.ts';
import { systemClock } from './platform/clock/index.ts';
import type { Clock } from './platform/clock/index.ts';
import type { Database } from './platform/db/index.ts';
import { createAttempts, createHttp, sweepRequests } from './platform/http/index.ts';
import type { Endpoint, Http } from './platform/http/index.ts';
import { addJobFigures, createJobs, orderedFaults } from './platform/jobs/index.ts';
import type { Jobs, JobsSettings } from './platform/jobs/index.ts';
import { createKeys } from './platform/keys/index.ts';
import type { Signer } from './platform/keys/index.ts';
import type { Logger } from './platform/log/index.ts';
import { createPasswords } from './platform/secrets/index.ts';
import { createTelemetry } from './platform/telemetry/index.ts';
import { createTransparency } from './transparency/index.ts';
import { createUsage } from './usage/index.ts';
import { closingAccounts, closingPayments } from './wiring/closing.ts';
import { seedDemo } from './wiring/demo.ts';
import { createDownloads } from './wiring/downloads.ts';
import { recipientsOf } from './wiring/recipients.ts';
import { retention } from './wiring/retention.ts';
import { tellingAccounts } from './wiring/telling.ts';

/** The databases a process works on. */
export interface Databases {
  readonly main: Database;
  /** The key store: never in the main database or its backups. */
  readonly keys: Database;
}

/** The running service. */
export interface Context {
  readonly access: Access;
  readonly jobs: Pick<Jobs, 'drain' | 'deadLetters' | 'sagas'>;
  /** Opens the listeners, then the work behind them; answers where to go. */
  start(): Promise<{ readonly httpUrl: string; readonly es9Url: string }>;
  /** Takes nothing new, ends what is under way. */
  stop(): Promise<void>;
}

/** What travellers pay in. */
const currencies = ['EUR'] as const;

/** What tests may change: the time, how soon work is repeated, how long a closure waits. */
export interface Changes {
  readonly clock?: Clock;
  readonly jobs?: Partial<JobsSettings>;
  readonly closure?: Partial<ClosureSettings>;
}

/** What every slice stands on. */
function platformOf(config: Config, databases: Databases, masterKey: Buffer, log: Logger, { clock = systemClock, jobs: settings }: Changes) {
  const db = databases.main;
  const keys = createKeys({
    db: databases.keys, masterKey, previousMasterKeys: config.keys.previousMasterKeys, keyFolder: config.keys.folder, clock,
    ...(config.keys.indexSecret === undefined ? {} : { indexSecret: config.keys.indexSecret }),
  });
  const { dataKeys, blindIndex } = keys;
  const jobs = createJobs({ db, clock, log, faults: orderedFaults(config.faults), settings: { leaseMs: config.jobs.leaseMs, ...settings } });
  const { outbox, sagas, schedule } = jobs;
  const { registry: metrics, readiness } = createTelemetry({ main: db, keys: databases.keys });
  addJobFigures(metrics, db);
  return {
    metrics, readiness, clock, db, log, keys, dataKeys, blindIndex, jobs, outbox, sagas, schedule,
    audit: createAudit({ clock }), blobs: createBlobs({ db }), attempts: createAttempts({ db, blindIndex, clock }), passwords: createPasswords(),
  };
}

type Platform = ReturnType<typeof platformOf>;

/** Ranks 1 and 2: money, messages, people, partners, stock and offers. */
function foundationOf(config: Config, platform: Platform) {
  const ledger = createLedger(platform);
  const notifications = createNotifications({
    ...platform, verifyUrl: `${config.http.publicUrl}/v1/messages/verify`,
    mailer: smtpMailer({
      url: config.mail.url, requireTls: config.mail.requireTls, fromName: config.mail.fromName, fromAddress: config.mail.fromAddress, limitMs: config.mail.limitMs,
      ...(config.mail.dkim === undefined ? {} : { dkim: config.mail.dkim }),
    }),
  });
  const gateway = stripeGateway({
    secretKey: config.gateway.secretKey, webhookSecret: config.gateway.webhookSecret, ...(config.gateway.url === undefined ? {} : { url: config.gateway.url }),
  });
  const site = { name: config.providerName, publicUrl: config.http.publicUrl, origins: config.http.origins };
  const accounts = createAccounts({ ...platform, notifications, site });
  const partners = createPartners({ ...platform, httpsOnly: config.partners.httpsOnly, openBooks: (tx, operatorId, currency) => ledger.openPartner(tx, operatorId, currency) });
  return {
    ledger, notifications, partners,
    access: createAccess({ ...platform, site }),
    operations: createOperations({ ...platform, deadLetters: platform.jobs.deadLetters }),
    accounts,
    inventory: createInventory(platform),
    catalogue: createCatalogue(platform),
    payments: createPayments({
      ...platform, ledger, gateway, currencies, requirePayer: (tx, accountId) => accounts.requireActive(tx, accountId),
      ...(config.gateway.url === undefined ? {} : { payPageUrl: `${config.gateway.url}/pay/` }),
    }),
  };
}

type Foundation = ReturnType<typeof foundationOf>;

/** Ranks 3 to 6: downloads, lines, usage, orders. */
async function serviceOf(config: Config, platform: Platform, f: Foundation) {
  const downloads = await createDownloads(config, platform, f.inventory, f.partners);
  const stock = {
    byId: f.inventory.byId,
    byIccids: f.inventory.byIccids,
    note: f.inventory.note,
    retire: async (tx: Parameters<typeof f.inventory.mark>[0], profileId: string) => { await f.inventory.mark(tx, profileId, 'retired'); },
  };
  const lines = createLines({ ...platform, stock, downloads, operators: f.partners });
  downloads.onReport((report) => lines.report(report));
  const usage = createUsage({
    ...platform, ledger: f.ledger, stock, lines, notifications: f.notifications, accounts: tellingAccounts(f.accounts),
    feedEveryMs: config.feeds.everyMs, settledMs: config.feeds.settledMs,
    feeds: async () => (await f.partners.list(platform.db, null, 1000)).map(({ operatorId, feedFolder }) => ({ operatorId, folder: feedFolder })),
    tariffs: {
      async costMinor(operatorId, bytes) {
        const operator = await f.partners.find(platform.db, operatorId);
        if (operator === undefined) return { amountMinor: 0n, currency: 'EUR' };
        return { amountMinor: (bytes * operator.costPerGigabyteMinor + 500_000_000n) / 1_000_000_000n, currency: operator.currency };
      },
    },
  });
  const orders = createOrders({
    ...platform, ledger: f.ledger, catalogue: f.catalogue, lines, usage,
    requireBuyer: async (tx, accountId) => { await f.accounts.requireActive(tx, accountId); },
    reserve: (tx, operatorId) => f.inventory.reserve(tx, operatorId),
    orderDownload: (tx, wanted) => downloads.order(tx, wanted),
  });
  return { downloads, lines, usage, orders };
}

type Service = Awaited<ReturnType<typeof serviceOf>>;

function transparencyOf(config: Config, platform: Platform, issuer: Signer, logSigner: Signer) {
  return createTransparency({
    ...platform, signer: logSigner, origin: config.transparency.origin, published: config.transparency.anchorFolder,
    issuerKeys: () => [issuerKeyOf(issuer.keyId, config.http.publicUrl, jwkOfSpki(issuer.publicKeyDer))],
  });
}

/** Rank 8: leaving. */
function closureOf(config: Config, platform: Platform, f: Foundation, s: Service, log: ReturnType<typeof transparencyOf>, issuer: Signer, changes: Changes) {
  const { db } = platform;
  const closure = createClosure({
    ...platform, issuer, log, retention, ledger: f.ledger, lines: s.lines, usage: s.usage, notifications: f.notifications,
    accounts: closingAccounts(f.accounts), payments: closingPayments(f.payments),
    holders: () => [closure.holder, s.orders.holder, s.usage.holder, s.lines.holder, f.payments.holder, f.ledger.holder, f.notifications.holder, f.accounts.holder],
    recipients: () => recipientsOf({
      db, partners: f.partners, inventory: f.inventory, lines: s.lines, payments: f.payments, accounts: f.accounts, mailErasure: config.mail.erasure,
    }),
    iccidTail: async (profileId) => (await f.inventory.byId(db, profileId))?.iccid.slice(-4) ?? '0000',
    operatorName: async (operatorId) => (await f.partners.find(db, operatorId))?.name ?? 'operator',
    settings: {
      issuer: { id: config.http.publicUrl, name: config.providerName },
      publicUrl: config.http.publicUrl,
      jurisdiction: 'EU',
      automaticLimitMinor: 20_000n,
      targetDays: 3,
      promiseWorkingDays: 15,
      defaultCoolingOffDays: config.closure.coolingOffDays,
      exportLinkDays: 30,
      unbindWaitMs: 72 * 3_600_000,
      usageWaitMs: 15 * 60_000,
      receiptWaitMs: 86_400_000,
      envelopeLifeMs: 7 * 86_400_000,
      appeal: `Reply to this message, or write to ${config.mail.fromAddress}; the data protection authority of your country is open to you at any time.`,
      ...changes.closure,
    },
  });
  platform.outbox.subscribe(paymentCaptured, 'closure.late-money', ({ body }) => closure.moneyCame(body));
  platform.outbox.subscribe(refundSettled, 'closure.refund', ({ body }) => closure.wakeFor(body.accountId));
  return closure;
}

function scheduleUpkeep(platform: Platform, f: Foundation): void {
  const { schedule, clock, db, blobs } = platform;
  schedule.every('keys.sweep', 3_600_000, async () => { await platform.keys.upkeep.finishDestroying(); });
  schedule.every('http.sweep', 600_000, async () => { await sweepRequests(db, clock); });
  schedule.every('blobs.sweep', 600_000, async () => { await blobs.sweep(clock.now(), 1000); });
  schedule.every('accounts.sweep', 600_000, async () => { await f.accounts.sweep(); });
  schedule.every('access.sweep', 600_000, () => f.access.sweep());
}

function httpOf(config: Config, platform: Platform, f: Foundation, endpoints: readonly Endpoint[], readiness: Record<string, () => Promise<void>>): Promise<Http> {
  return createHttp({
    endpoints, problems: allProblems, authenticators: [f.accounts.authenticator, ...f.access.authenticators],
    db: platform.db, blindIndex: platform.blindIndex, clock: platform.clock, log: platform.log, metrics: platform.metrics, readiness,
    publicUrl: config.http.publicUrl, origins: config.http.origins, trustProxy: config.http.trustProxy, limits: { requestsPerMinute: config.http.requestsPerMinute },
    ...(config.http.metricsSecret === undefined ? {} : { metricsSecret: config.http.metricsSecret }),
  });
}

/** Wires the service by hand: platform, then the slices from the lowest rank up. */
export async function createContext(config: Config, databases: Databases, masterKey: Buffer, log: Logger, changes: Changes = {}): Promise<Context> {
  const platform = platformOf(config, databases, masterKey, log, changes);
  const f = foundationOf(config, platform);
  const s = await serviceOf(config, platform, f);
  const issuer = await platform.keys.signer('certificate-issuer', 'ES256');
  const transparency = transparencyOf(config, platform, issuer, await platform.keys.signer('transparency-log', 'Ed25519'));
  const closure = closureOf(config, platform, f, s, transparency, issuer, changes);
  scheduleUpkeep(platform, f);
  const http = await httpOf(config, platform, f, [
    ...ledgerEndpoints(f.ledger, platform.db), ...f.notifications.endpoints, ...f.access.endpoints, ...f.accounts.endpoints, ...f.partners.endpoints,
    ...f.operations.endpoints, ...f.inventory.endpoints, ...f.catalogue.endpoints, ...f.payments.endpoints, ...s.lines.endpoints, ...s.usage.endpoints, ...s.orders.endpoints,
    ...transparency.endpoints, ...closure.endpoints,
  ], {
    ...platform.readiness, log: () => transparency.requireRunning(),
  });
  return {
    access: f.access,
    jobs: platform.jobs,
    async start() {
      await platform.keys.upkeep.check();
      await platform.keys.upkeep.finishDestroying();
      await platform.db.transaction(async (tx) => { for (const currency of currencies) await f.ledger.openHouse(tx, currency); });
      await transparency.start();
      if (config.demo !== undefined) await seedDemo({ db: platform.db, partners: f.partners, inventory: f.inventory, catalogue: f.catalogue }, config.demo.operator);
      const { url: httpUrl } = await http.listen({ host: config.http.host, port: config.http.port });
      const es9Url = await s.downloads.listen();
      platform.jobs.start();
      return { httpUrl, es9Url };
    },
    async stop() {
      await http.close();
      await s.downloads.close();
      await platform.jobs.stop();
    },
  };
}
