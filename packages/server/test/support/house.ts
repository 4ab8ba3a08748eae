import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessRoutes, createClient } from '@yuanyou/contract';
import type { Client, Role } from '@yuanyou/contract';
import { vi } from 'vitest';
import { createContext } from '../../src/context.ts';
import type { Changes, Context } from '../../src/context.ts';
import { loadConfig } from '../../src/config.ts';
import type { Config } from '../../src/config.ts';
import { manualClock } from '../../src/platform/clock/index.ts';
import { sql } from '../../src/platform/db/index.ts';
import type { Database } from '../../src/platform/db/index.ts';
import { testDatabase } from '../../src/platform/db/testing.ts';
import { createLog } from '../../src/platform/log/index.ts';
import { createKeys } from '../../src/platform/keys/index.ts';
import type { Keys } from '../../src/platform/keys/index.ts';
import { settlePorts } from '../../src/ports.ts';
import { startSimulator } from '../simulators.ts';
import type { Simulator } from '../simulators.ts';

/** The whole service in this process, on databases of its own, with its counterparts in processes of theirs and a clock that stands still. */
export interface House {
  readonly config: Config;
  readonly context: Context;
  readonly db: Database;
  readonly keysDb: Database;
  /** Opens what the service sealed. */
  readonly keys: Keys;
  readonly clock: ReturnType<typeof manualClock>;
  readonly gateway: Simulator;
  readonly operator: Simulator;
  readonly inbox: Simulator;
  /** Warnings and errors of the service. */
  readonly logged: string[];
  /** A client with an address of its own; `session` is asked at every call. */
  client(session?: () => string | undefined): Client;
  /** Works until nothing is due; pauses of up to `patienceMs` are waited out by moving the clock. */
  run(patienceMs?: number): Promise<void>;
  /** Works, moves both clocks, works again. */
  later(ms: number): Promise<void>;
  /** Asks until the answer is there, working meanwhile: what other processes do takes real time. */
  until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T>;
  /** Signs in a new agent. */
  agent(role: Role): Promise<Client>;
  stop(): Promise<void>;
}

// Four processes and a database stand behind each act; a machine that does other things besides takes its time.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const webhookSecret = 'whsec_house_of_tests';
/** Soon enough that a whole series of attempts fits between two looks. */
const quickBackoff = { firstMs: 100, factor: 1.5, longestMs: 1000 };
const patience = 2000;
const mostAhead = 15 * 60_000;
const longestUntilMs = 15_000;

let callers = 0;

async function configured(folder: string): Promise<{ config: Config; gateway: Simulator; operator: Simulator; inbox: Simulator }> {
  const plain = await settlePorts(loadConfig({
    YUANYOU_MODE: 'test', YUANYOU_DATA: folder, YUANYOU_DEMO: 'on', PORT: '0', YUANYOU_ES9_PORT: '0', YUANYOU_REQUESTS_PER_MINUTE: '0',
    YUANYOU_TRUST_PROXY: '127.0.0.1', YUANYOU_LOG_LEVEL: 'warn', STRIPE_WEBHOOK_SECRET: webhookSecret, YUANYOU_MAIL_FROM: 'service@yuanyou.test',
  }, folder));
  const [gateway, operator, inbox] = await Promise.all([
    startSimulator('gateway', { webhookUrl: `http://127.0.0.1:${plain.http.port}/v1/webhooks/gateway`, webhookSecret, asyncRefundMs: null }),
    startSimulator('operator', { name: 'sakura' }),
    startSimulator('inbox'),
  ]);
  const config: Config = {
    ...plain,
    gateway: { ...plain.gateway, secretKey: gateway.shown['secretKey']!, url: gateway.shown['url']! },
    mail: { ...plain.mail, url: inbox.shown['smtpUrl']! },
    demo: { operator: { url: operator.shown['url']!, apiKey: operator.shown['apiKey']!, feedFolder: join(operator.folder, 'feed') } },
  };
  return { config, gateway, operator, inbox };
}

/** The next time at which something is due or under way, with what repeats by itself left out. */
async function nextDue(db: Database): Promise<Date | undefined> {
  const row = await db.one<{ at: Date | null }>(sql`
    select min(at) as at from (
      select min(due_at) as at from jobs.delivery where status in ('delayed', 'ready', 'running')
      union all select min(due_at) from jobs.saga where status in ('running', 'undoing')) due`);
  return row.at ?? undefined;
}

function clientFor(url: string, session?: () => string | undefined): Client {
  callers += 1;
  const address = `10.${(callers >> 16) & 255}.${(callers >> 8) & 255}.${callers & 255}`;
  return createClient({
    baseUrl: url,
    ...(session === undefined ? {} : { session }),
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set('x-forwarded-for', address);
      return fetch(input, { ...init, headers });
    },
  });
}

type Works = Pick<House, 'clock' | 'db' | 'gateway' | 'context' | 'logged'>;

/** Lets time pass: the house works, and both clocks go on together. */
function timeOf({ clock, db, gateway, context, logged }: Works): Pick<House, 'run' | 'later' | 'until'> {
  let gatewayAheadMs = 0;
  /** The gateway signs with its own clock, and a signature that looks old is refused. */
  const keepUp = async (): Promise<void> => {
    const behindMs = clock.now().getTime() - (Date.now() + gatewayAheadMs);
    if (behindMs < 120_000) return;
    await gateway.post('/_control/clock', { advanceMs: behindMs });
    gatewayAheadMs += behindMs;
  };
  const run: House['run'] = async (patienceMs = patience) => {
    const end = clock.now().getTime() + mostAhead;
    await keepUp();
    for (;;) {
      await context.jobs.drain();
      const next = await nextDue(db);
      if (next === undefined || next.getTime() - clock.now().getTime() > patienceMs || next.getTime() > end) return;
      if (next > clock.now()) clock.set(next);
      // What the house's own workers have begun ends soon.
      else await new Promise((resolve) => { setTimeout(resolve, 5); });
      await keepUp();
    }
  };
  return {
    run,
    async later(ms) {
      await run();
      clock.advance(ms);
      await keepUp();
      await run();
    },
    async until(what, ask) {
      const end = performance.now() + longestUntilMs;
      for (;;) {
        await run();
        const answer = await ask();
        if (answer !== undefined && answer !== false) return answer;
        if (performance.now() > end) throw new Error(`not in time: ${what}; logged: ${logged.slice(-5).join('\n')}`);
        await new Promise((resolve) => { setTimeout(resolve, 15); });
      }
    },
  };
}

/** Signs agents in; the first of them is the admin who invites the others. */
function agentsOf(context: Context, url: string): House['agent'] {
  const password = 'an agent password, long';
  const first = { email: 'first@yuanyou.test', name: 'First' };
  const accept = async (code: string): Promise<string> =>
    (await clientFor(url).call(accessRoutes.acceptInvitation, { body: { code, password } })).body.session.secret!;
  let admitted: Promise<unknown> | undefined;
  /** Signed in anew each time: a clock that is moved by weeks outlives sessions. */
  const admin = async (): Promise<string> => {
    await (admitted ??= context.access.createFirstAdmin(first).then(({ code }) => accept(code)));
    return (await clientFor(url).call(accessRoutes.signInAgent, { body: { email: first.email, password } })).body.session.secret!;
  };
  return async (role) => {
    const session = await admin();
    if (role === 'admin') return clientFor(url, () => session);
    const { body } = await clientFor(url, () => session).call(accessRoutes.inviteAgent, {
      idempotencyKey: randomBytes(12).toString('hex'), body: { email: `${role}.${randomBytes(4).toString('hex')}@yuanyou.test`, name: role, roles: [role] },
    });
    const secret = await accept(body.invitation.code);
    return clientFor(url, () => secret);
  };
}

/** Opens a house; close it with `stop`. */
export async function openHouse(changes: Changes = {}, change: (config: Config) => Config = (config) => config): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'yuanyou-house-'));
  const [{ config: plain, gateway, operator, inbox }, database] = await Promise.all([configured(folder), testDatabase()]);
  const { db, keysDb } = database;
  const config = change(plain);
  const masterKey = randomBytes(32);
  const clock = manualClock(new Date());
  const logged: string[] = [];
  const { log } = createLog({ level: 'warn', format: 'json', write: (line) => { logged.push(line); } });
  const context = await createContext(config, { main: db, keys: keysDb }, masterKey, log, {
    clock, ...changes, jobs: { idleMs: 3_600_000, backoff: quickBackoff, ...changes.jobs },
  });
  const { httpUrl } = await context.start();
  return {
    config, context, db, keysDb, clock, gateway, operator, inbox, logged,
    keys: createKeys({ db: keysDb, masterKey, keyFolder: config.keys.folder, clock }),
    client: (session) => clientFor(httpUrl, session),
    ...timeOf({ clock, db, gateway, context, logged }),
    agent: agentsOf(context, httpUrl),
    async stop() {
      await context.stop();
      await Promise.all([database.drop(), gateway.stop(), operator.stop(), inbox.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
