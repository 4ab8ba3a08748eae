import { randomBytes } from 'node:crypto';
import {
  acceptDownload, authenticateClient, bindDownload, buildProfilePackage, cancelSession, endsSession, initiateAuthentication, readCancelAnswer,
  readClientAnswer, readDownloadAnswer, refusalOf, refuse, type AcceptedDownload, type ChainTrust, type ClientAnswer, type DownloadAnswer,
  type Es9plusRequest, type Es9plusResponse,
} from '@yuanyou/rsp';
import type { Workings } from './deps.ts';
import { profileReported } from './events.ts';
import { confirmationTries, orderOf } from './model.ts';
import { openingEnd, openSession, reopenSession } from './opening.ts';
import * as store from './store.ts';

/** Data keys' subject and context of confirmation codes. */
export const confirmationSeal = { subject: 'smdp', context: 'smdp.download_order.sealed_confirmation' } as const;

/** ES9+.InitiateAuthentication: a session begins. */
export async function initiate(w: Workings, request: Es9plusRequest<'initiateAuthentication'>): Promise<Es9plusResponse<'initiateAuthentication'>> {
  const { expiresAt, ...random } = openSession(w, request.smdpAddress);
  return initiateAuthentication(request, { smdp: w.smdp, anchors: w.pki.anchors, random, expiresAt }).answer;
}

/** ES9+.AuthenticateClient: the eUICC proves itself and is offered the profile. */
export async function authenticate(w: Workings, request: Es9plusRequest<'authenticateClient'>): Promise<Es9plusResponse<'authenticateClient'>> {
  return refusing(w, request.transactionId, async () => {
    const client = readClientAnswer(request);
    const { session: earlier, order } = await findFor(w, client);
    const { answer, session } = authenticateClient(client, {
      smdp: w.smdp,
      trust: trustOf(w),
      // A session that was taken on before is not the one that this answer opens.
      session: earlier ?? reopenSession(w, client),
      // Whether a code is asked for is said here; the code itself is compared when the package is fetched.
      order: order && orderOf(order, w.smdp, order.sealedConfirmation ?? undefined),
    });
    if (!await store.insertAuthenticated(w.db, session, order!.profileId)) throw refuse('transactionUnknown', 'taken on by another request');
    return answer;
  });
}

/** ES9+.GetBoundProfilePackage: the profile is bound to the eUICC and handed over. */
export async function getPackage(w: Workings, request: Es9plusRequest<'getBoundProfilePackage'>): Promise<Es9plusResponse<'getBoundProfilePackage'>> {
  return refusing(w, request.transactionId, async () => {
    const wish = readDownloadAnswer(request);
    const found = await store.findBySession(w.db, wish.transactionId);
    const accepted = await accept(w, wish, found);
    const order = found!.order!;
    const making = await w.profiles.load(order.profileId);
    const { serviceProviderName, owner } = order.card;
    const random = randomBytes(96);
    const { answer } = bindDownload(accepted, {
      smdp: w.smdp,
      upp: buildProfilePackage({ ...making, serviceProviderName: shortName(serviceProviderName), mncLength: owner.mnc.length === 3 ? 3 : 2 }),
      random: { ephemeral: random.subarray(0, 48), protectionKeys: random.subarray(48) },
    });
    random.fill(0);
    await hand(w, accepted);
    return answer;
  });
}

/** ES9+.CancelSession. The order stays as it is: another try may follow. */
export async function cancel(w: Workings, request: Es9plusRequest<'cancelSession'>): Promise<void> {
  const wish = readCancelAnswer(request);
  const found = await store.findBySession(w.db, wish.transactionId);
  const { reason } = cancelSession(wish, { smdp: w.smdp, session: found?.session, trust: trustOf(w) });
  await store.endSession(w.db, wish.transactionId, found!.session!.expiresAt);
  w.log.info({ profileId: found?.order?.profileId, reason }, 'download cancelled by the phone');
}

/** What certificates of eUICCs are judged by, now. */
export function trustOf(w: Workings): ChainTrust {
  return { anchors: w.pki.anchors, crls: w.pki.crls, at: w.clock.now(), cache: w.cache };
}

async function findFor(w: Workings, { transactionId, lookup }: ClientAnswer): Promise<store.Found> {
  if (!lookup) return await store.findBySession(w.db, transactionId) ?? { session: undefined, order: undefined };
  return 'matchingId' in lookup
    ? store.findByMatchingId(w.db, transactionId, lookup.matchingId)
    : store.findByEid(w.db, transactionId, lookup.eid);
}

async function accept(w: Workings, wish: DownloadAnswer, found: store.Found | undefined): Promise<AcceptedDownload> {
  const order = found?.order;
  const trust = trustOf(w);
  if (!order?.sealedConfirmation) return acceptDownload(wish, { session: found?.session, order: order && orderOf(order, w.smdp, undefined), trust });
  const digest = await w.dataKeys.open(confirmationSeal.subject, confirmationSeal.context, order.sealedConfirmation);
  const asked = orderOf(order, w.smdp, digest);
  // A request without a code has guessed nothing; one with a code pays before it is compared, so that guesses in parallel cost one try each.
  const guesses = wish.response.kind === 'ok' && wish.response.value.euiccSigned2.hashCc !== undefined && found?.session?.client !== undefined;
  if (guesses && !await store.takeConfirmationTry(w.db, order.profileId)) throw refuse('confirmationTriesUsedUp');
  return acceptDownload(wish, { session: found?.session, order: asked, trust });
}

/**
 * The package leaves: counted first, so that an order never gives out more than it may. The installation's result follows within seconds and
 * says more; only a download that none follows is told of by itself.
 */
async function hand(w: Workings, { session, euiccOtpk }: AcceptedDownload): Promise<void> {
  const counted = await store.saveBound(w.db, {
    transactionId: session.transactionId, eid: session.client.eid, euiccOtpk, tries: confirmationTries, at: w.clock.now(),
  });
  if (!counted) throw refuse('downloadsUsedUp', 'taken by another request');
}

/** Tells of downloads that no installation followed within a minute. */
export async function tellDownloads(w: Workings): Promise<void> {
  const before = new Date(w.clock.now().getTime() - untoldMs);
  for (let taken = untoldBatch; taken === untoldBatch;) {
    taken = await w.db.transaction(async (tx) => {
      const untold = await store.takeUntold(tx, before, untoldBatch);
      for (const { profileId, iccid, eid } of untold) await w.outbox.emit(tx, profileReported, profileId, { profileId, iccid, eid, to: 'downloaded' });
      return untold.length;
    });
  }
}

const untoldMs = 60_000;
const untoldBatch = 500;

/** Runs a request; a refusal that ends the session is noted before it is answered. */
async function refusing<T>(w: Workings, transactionId: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const refusal = refusalOf(error);
    const end = refusal && endsSession(refusal) ? openingEnd(w, transactionId) : undefined;
    if (end) await store.endSession(w.db, transactionId, end);
    throw error;
  }
}

/** EF.SPN holds 16 characters of ASCII; the full name is in the metadata. */
function shortName(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '').slice(0, 16).trim();
}
