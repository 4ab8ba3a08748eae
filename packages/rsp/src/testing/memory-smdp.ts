import { fromHex } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { readEs9plusRequest, writeEs9plusFailure, writeEs9plusSuccess } from '../es9plus/index.ts';
import type { Es9plusFunction } from '../es9plus/index.ts';
import { ciKeyIdOf } from '../euicc/index.ts';
import type { LpaAnswer, LpaRequest } from '../lpa/index.ts';
import { createPkiCache, parseCertificate } from '../pki/index.ts';
import type { Certificate, ChainTrust, Crl } from '../pki/index.ts';
import {
  acceptDownload, authenticateClient, bindDownload, cancelSession, endsSession, initiateAuthentication, malformedStatusCode, orderAfter, readCancelAnswer,
  readClientAnswer, readDownloadAnswer, readNotification, refusalOf, statusCodeOf, verifyNotification,
} from '../smdp/index.ts';
import type { DownloadOrder, ProfileEvent, ReinstallPolicy, SmdpIdentity, SmdpSession } from '../smdp/index.ts';
import { signerOfIdentity } from './pki.ts';
import type { TestPki } from './pki.ts';
import type { RandomBytes } from './random.ts';

/** An order and the profile package behind it. */
export interface MemoryOrder extends DownloadOrder {
  readonly matchingId: string;
  readonly upp: Uint8Array;
  readonly policy: ReinstallPolicy;
}

/** A verified notification. */
export interface MemoryEvent {
  readonly eid: string;
  readonly sequenceNumber: number;
  readonly iccid: string | undefined;
  readonly event: ProfileEvent;
}

/** The SM-DP+ state machine of this package with its sessions and orders in memory. */
export interface MemorySmdp {
  readonly orders: Map<string, MemoryOrder>;
  readonly sessions: ReadonlyMap<string, SmdpSession>;
  readonly events: readonly MemoryEvent[];
  answer(request: Extract<LpaRequest, { kind: 'es9plus' }>): Extract<LpaAnswer, { kind: 'es9plus' }>;
}

/** What the SM-DP+ is made from. */
export interface MemorySmdpOptions {
  readonly pkis: readonly TestPki[];
  readonly address: string;
  readonly now: () => Date;
  readonly random: RandomBytes;
  readonly crls?: readonly Crl[];
  /** Signs in place of the PKI's own keys, for repeatable signatures. */
  readonly signerOf?: typeof signerOfIdentity;
}

/** An order that is ready for download, with changes where a test wants them. */
export function releasedOrder(order: Pick<MemoryOrder, 'matchingId' | 'metadata' | 'upp'> & Partial<MemoryOrder>): MemoryOrder {
  return {
    state: 'released', confirmationTriesLeft: 3, downloads: 0, maxDownloads: 5, profileBytes: order.upp.length, anotherKeyAllowed: true,
    policy: { reinstall: 'same-euicc' }, ...order,
  };
}

/** Runs the SM-DP+ in memory. */
export function createMemorySmdp(options: MemorySmdpOptions): MemorySmdp {
  const anchors = options.pkis.map((pki) => parseCertificate(pki.ci.certificate));
  const cache = createPkiCache();
  const desk: Desk = {
    ...options, anchors, smdp: identityOf(options), orders: new Map(), sessions: new Map(), orderOfSession: new Map(), events: [],
    trust: () => ({ anchors, at: options.now(), cache, ...(options.crls ? { crls: options.crls } : {}) }),
  };
  return {
    orders: desk.orders,
    sessions: desk.sessions,
    events: desk.events,
    answer({ function: name, body }) {
      let text: string;
      try {
        text = functions[name](desk, Buffer.from(body));
      } catch (error) {
        text = refused(desk, error, body);
      }
      return { kind: 'es9plus', status: text === '' ? 204 : 200, body: Buffer.from(text) };
    },
  };
}

/** What the functions work with. */
interface Desk extends Pick<MemorySmdpOptions, 'now' | 'random'> {
  readonly smdp: SmdpIdentity;
  readonly anchors: readonly Certificate[];
  readonly trust: () => ChainTrust;
  readonly orders: Map<string, MemoryOrder>;
  readonly sessions: Map<string, SmdpSession>;
  readonly orderOfSession: Map<string, string>;
  readonly events: MemoryEvent[];
}

const functions: { readonly [F in Es9plusFunction]: (desk: Desk, body: Uint8Array) => string } = {
  initiateAuthentication: initiate, authenticateClient: authenticate, getBoundProfilePackage: bind, handleNotification: hear, cancelSession: cancel,
};

function initiate({ smdp, anchors, random, now, sessions }: Desk, body: Uint8Array): string {
  const { answer, session } = initiateAuthentication(readEs9plusRequest('initiateAuthentication', body), {
    smdp, anchors, random: { transactionId: random(16), serverChallenge: random(16) }, expiresAt: new Date(now().getTime() + 600_000),
  });
  sessions.set(session.transactionId, session);
  return writeEs9plusSuccess('initiateAuthentication', answer);
}

function authenticate({ smdp, trust, orders, sessions, orderOfSession }: Desk, body: Uint8Array): string {
  const read = readClientAnswer(readEs9plusRequest('authenticateClient', body));
  const { lookup } = read;
  const order = lookup && ('matchingId' in lookup ? orders.get(lookup.matchingId) : [...orders.values()].find(({ eid }) => eid === lookup.eid));
  const { answer, session } = authenticateClient(read, { smdp, trust: trust(), session: sessions.get(read.transactionId), order });
  sessions.set(session.transactionId, session);
  orderOfSession.set(session.transactionId, order!.matchingId);
  return writeEs9plusSuccess('authenticateClient', answer);
}

function bind({ smdp, trust, random, orders, sessions, orderOfSession }: Desk, body: Uint8Array): string {
  const read = readDownloadAnswer(readEs9plusRequest('getBoundProfilePackage', body));
  const order = orders.get(orderOfSession.get(read.transactionId) ?? '');
  const accepted = acceptDownload(read, { session: sessions.get(read.transactionId), order, trust: trust() });
  const { answer, session } = bindDownload(accepted, { smdp, upp: order!.upp, random: { ephemeral: random(48), protectionKeys: random(48) } });
  sessions.set(session.transactionId, session);
  orders.set(order!.matchingId, {
    ...order!, state: 'downloaded', downloads: order!.downloads + 1, eid: accepted.session.client.eid, euiccOtpk: accepted.euiccOtpk,
  });
  return writeEs9plusSuccess('getBoundProfilePackage', answer);
}

function hear({ trust, orders, sessions, events }: Desk, body: Uint8Array): string {
  const read = readNotification(readEs9plusRequest('handleNotification', body));
  const client = read.transactionId === undefined ? undefined : sessions.get(read.transactionId)?.client;
  const eid = verifyNotification(read, { client, trust: trust() });
  events.push({ eid, sequenceNumber: read.sequenceNumber, iccid: read.iccid, event: read.event });
  const order = [...orders.values()].find(({ metadata }) => metadata.iccid === read.iccid);
  const next = order && orderAfter(order, read.event);
  if (order && next) orders.set(order.matchingId, { ...order, state: next.state });
  return '';
}

function cancel({ smdp, trust, sessions }: Desk, body: Uint8Array): string {
  const read = readCancelAnswer(readEs9plusRequest('cancelSession', body));
  const { session } = cancelSession(read, { smdp, session: sessions.get(read.transactionId), trust: trust() });
  sessions.set(session.transactionId, session);
  return writeEs9plusSuccess('cancelSession', {});
}

function refused({ orders, sessions, orderOfSession }: Desk, error: unknown, body: string): string {
  const refusal = refusalOf(error);
  if (!refusal && error instanceof RspError) return writeEs9plusFailure(malformedStatusCode(error));
  if (!refusal) throw error;
  const { transactionId } = JSON.parse(body) as { transactionId?: string };
  const session = sessions.get(transactionId ?? '');
  if (session && endsSession(refusal)) sessions.set(session.transactionId, { ...session, state: 'ended' });
  if (refusal === 'confirmationCodeRefused') spendTry(orders, orderOfSession.get(transactionId ?? ''));
  return writeEs9plusFailure(statusCodeOf(refusal));
}

function identityOf({ pkis, address, signerOf = signerOfIdentity }: MemorySmdpOptions): SmdpIdentity {
  return {
    addresses: [address.toLowerCase()],
    smdpOid: pkis[0]!.smdpOid,
    chains: pkis.map((pki) => ({
      ciKeyId: fromHex(ciKeyIdOf(pki.ci.certificate)),
      curve: pki.curve,
      auth: { certificate: pki.dpAuth.certificate, sign: signerOf(pki.dpAuth) },
      binding: { certificate: pki.dpPb.certificate, sign: signerOf(pki.dpPb) },
    })),
    hostId: Buffer.from('yuanyou'),
  };
}

function spendTry(orders: Map<string, MemoryOrder>, matchingId: string | undefined): void {
  const order = orders.get(matchingId ?? '');
  if (order) orders.set(order.matchingId, { ...order, confirmationTriesLeft: order.confirmationTriesLeft - 1 });
}
