import { request as httpsRequest } from 'node:https';

import { randomBytes, X509Certificate } from 'node:crypto';
import {
  importPrivateKey, parseCertificate, type Certificate, type Es9plusFunction, type StatusCode,
} from '@yuanyou/rsp';
import type { LpaAnswer, LpaRequest, LpaRun } from '@yuanyou/rsp/lpa';
import { createTestPki, runEuicc, createTestEuicc, seededRandom, signerOfIdentity, testEid, type RunningEuicc, type TestIdentity, type TestPki } from '@yuanyou/rsp/testing';
import { manualClock } from '../../platform/clock/index.ts';
import { testDatabase, type TestDatabase } from '../../platform/db/testing.ts';
import { newId } from '../../platform/ids.ts';
import { createAudit } from '../../platform/audit/index.ts';
import type { Event, EventType, Outbox } from '../../platform/jobs/types.ts';
import { createKeys } from '../../platform/keys/index.ts';
import { memoryFolder } from '../../platform/keys/testing.ts';
import { createSmdp, type Es9plusListener, type OrderRequest, type Smdp, type SmdpPki } from '../index.ts';

/** An HTTP answer, raw. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface EmittedEvent { readonly name: string; readonly body: Record<string, unknown> }

/** The SM-DP+ on a real listener and database, with test PKIs on both curves and phones that speak TLS to it. */
export interface Bench {
  readonly database: TestDatabase;
  readonly clock: ReturnType<typeof manualClock>;
  readonly smdp: Smdp;
  readonly listener: Es9plusListener;
  readonly address: string;
  readonly pkis: readonly TestPki[];
  readonly events: EmittedEvent[];
  readonly logged: unknown[];
  readonly tasks: Map<string, () => Promise<void>>;
  phone(index: number, options?: Parameters<typeof createTestEuicc>[3], pkis?: readonly TestPki[]): RunningEuicc;
  order(changes?: Partial<OrderRequest>): Promise<{ readonly profileId: string; readonly iccid: string; readonly activationCode: string; readonly matchingId: string }>;
  release(profileId: string): Promise<void>;
  post(path: string, body: string | Buffer, headers?: Readonly<Record<string, string>>, method?: string): Promise<RawAnswer>;
  /** Runs an LPA's conversation; `change` may alter each request's JSON before it leaves. */
  run<T>(euicc: RunningEuicc, conversation: LpaRun<T>, change?: (name: Es9plusFunction, body: Record<string, string>) => Record<string, string>): Promise<T>;
  close(): Promise<void>;
}

const start = new Date('2026-11-22T08:00:00Z');
const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2036-01-01T00:00:00Z') };

export async function openBench(): Promise<Bench> {
  const database = await testDatabase();
  const clock = manualClock(start);
  const random = seededRandom('smdp bench');
  const pkis = (['P-256', 'brainpoolP256r1'] as const).map((curve) => createTestPki({ curve, random, ...validity }));
  const events: EmittedEvent[] = [];
  const logged: unknown[] = [];
  const tasks = new Map<string, () => Promise<void>>();
  const log = { info: (entry: unknown) => { logged.push(entry); }, warn: (entry: unknown) => { logged.push(entry); }, error: (entry: unknown) => { logged.push(entry); } };
  const port = 20_000 + (process.pid % 20_000);
  const address = `localhost:${port}`;
  const keys = createKeys({ db: database.keysDb, masterKey: Buffer.alloc(32, 7), keyFolder: memoryFolder(), clock });
  const smdp = createSmdp({
    db: database.db, clock, keys, dataKeys: keys.dataKeys,
    outbox: recordingOutbox(events), audit: createAudit({ clock }), log: log as never,
    schedule: { every: (name, _ms, run) => { tasks.set(name, run); } },
    profiles: { load: async (profileId) => makingOf(profileId) },
    pki: pkiOf(pkis), addresses: [address, 'second.example'],
  });
  const listener = await smdp.listen({ host: '127.0.0.1', port });
  const ca = new X509Certificate(pkis[0]!.ci.certificate).toString();
  const post: Bench['post'] = (path, body, headers = {}, method = 'POST') => send({ port, ca, path, body, headers, method });
  return {
    database, clock, smdp, listener, address, pkis, events, logged, tasks, post,
    phone: (index, options, under = pkis) => runEuicc(createTestEuicc(under, testEid(index), random, options), { now: () => clock.now(), random }),
    async order(changes = {}) {
      const profileId = newId();
      const iccid = iccidOf(profileId);
      const card = { serviceProviderName: 'Yuanyou', profileName: 'Japan 3 GB', owner: { mcc: '001', mnc: '01' } };
      const made = await database.db.transaction(async (tx) => {
        const activation = await smdp.order(tx, { profileId, iccid, card, ...changes });
        await smdp.release(tx, profileId);
        return activation;
      });
      return { profileId, iccid, ...made };
    },
    release: (profileId) => database.db.transaction((tx) => smdp.release(tx, profileId)),
    run: (euicc, conversation, change) => converse(euicc, conversation, async (request) => {
      const fields = JSON.parse(request.body) as Record<string, string>;
      const answer = await post(request.path, JSON.stringify(change ? change(request.function, fields) : fields));
      return { kind: 'es9plus', status: answer.status, body: answer.body };
    }),
    async close() {
      await listener.close();
      await database.drop();
    },
  };
}

/** A raw signer and certificate of a test identity. */
function signing(identity: TestIdentity): { certificate: Uint8Array; sign: (message: Uint8Array) => Uint8Array } {
  return { certificate: identity.certificate, sign: signerOfIdentity(identity) };
}

function pkiOf(pkis: readonly TestPki[]): SmdpPki {
  const anchors: Certificate[] = pkis.map((pki) => parseCertificate(pki.ci.certificate));
  const [first] = pkis;
  return {
    identity: {
      smdpOid: first!.smdpOid,
      hostId: Buffer.from('test-host'),
      chains: pkis.map((pki, index) => ({ ciKeyId: anchors[index]!.subjectKeyId!, curve: pki.curve, auth: signing(pki.dpAuth), binding: signing(pki.dpPb) })),
    },
    anchors,
    crls: [],
    tls: {
      certificate: new X509Certificate(first!.dpTls.certificate).toString(),
      key: importPrivateKey(first!.dpTls.curve, first!.dpTls.privateKey).export({ format: 'pem', type: 'pkcs8' }) as string,
    },
  };
}

/** An ICCID of 19 digits out of a profile's id. */
export function iccidOf(profileId: string): string {
  return `89${(BigInt(`0x${profileId.replaceAll('-', '').slice(-14)}`) % 10n ** 17n).toString().padStart(17, '0')}`;
}

function makingOf(profileId: string) {
  return {
    iccid: iccidOf(profileId), imsi: '001010123456789', ki: randomBytes(16), opc: randomBytes(16), pin1: '1234', puk1: '11112222', adm1: randomBytes(8),
  };
}

function recordingOutbox(events: EmittedEvent[]): Outbox {
  return {
    async emit<B>(_tx: unknown, type: EventType<B>, _key: string, body: B) { events.push({ name: type.name, body: type.body.parse(body) as Record<string, unknown> }); },
    subscribe<B>(_type: EventType<B>, _consumer: string, _handler: (event: Event<B>) => Promise<void>) { /* nobody listens here */ },
  };
}

async function converse<T>(
  euicc: RunningEuicc, conversation: LpaRun<T>, smdp: (request: Extract<LpaRequest, { kind: 'es9plus' }>) => Promise<LpaAnswer>,
): Promise<T> {
  let step = conversation.next();
  while (!step.done) {
    step = conversation.next(step.value.kind === 'apdu' ? { kind: 'apdu', apdu: euicc.transmit(step.value.apdu) } : await smdp(step.value));
  }
  return step.value;
}

function send(
  { port, ca, path, body, headers, method }: {
    readonly port: number; readonly ca: string; readonly path: string; readonly body: string | Buffer; readonly headers: Readonly<Record<string, string>>; readonly method: string;
  },
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: '127.0.0.1', servername: 'localhost', port, path, method, ca, agent: false,
      headers: { 'Content-Type': 'application/json', 'X-Admin-Protocol': 'gsma/rsp/v2.3.0', 'Content-Length': Buffer.byteLength(body), ...headers },
    }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(pieces) }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** What a failed function said: subject and reason. */
export function failureOf(answer: RawAnswer): string {
  const { header } = JSON.parse(answer.body.toString()) as { header: { functionExecutionStatus: { status: string; statusCodeData?: StatusCode } } };
  const { status, statusCodeData } = header.functionExecutionStatus;
  return statusCodeData ? `${statusCodeData.subjectCode}/${statusCodeData.reasonCode}` : status;
}

