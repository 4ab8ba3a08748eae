import { z } from 'zod';
import type { Accounts } from '../accounts/index.ts';
import type { Recipient } from '../closure/index.ts';
import type { Inventory } from '../inventory/index.ts';
import type { Line, Lines } from '../lines/index.ts';
import type { Partners } from '../partners/index.ts';
import type { Payments } from '../payments/index.ts';
import type { Transactor } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';

interface RecipientDeps {
  readonly db: Transactor;
  readonly partners: Partners;
  readonly inventory: Inventory;
  readonly lines: Lines;
  readonly payments: Payments;
  readonly accounts: Pick<Accounts, 'contactPoint'>;
  /** Where the mail provider takes notices of erasure. */
  readonly mailErasure: { readonly url: string; readonly key: string | undefined } | undefined;
}

async function linesAt(deps: RecipientDeps, accountId: string, operatorId: string): Promise<Line[]> {
  const found: Line[] = [];
  for (let before: string | null = null; ;) {
    const batch: Line[] = await deps.lines.ofAccount(deps.db, accountId, before, 200);
    found.push(...batch.filter((line) => line.operatorId === operatorId));
    before = batch.at(-1)?.lineId ?? null;
    if (batch.length < 200) return found;
  }
}

/** The operator's receipt; undefined when it knows no such subscriber, as when the line was never provisioned. */
async function forgotten(asking: Promise<{ readonly reference: string }>): Promise<{ readonly reference: string } | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'partners/unknown-subscriber') return undefined;
    throw error;
  }
}

/** An operator erases what it keeps of every subscriber that was this account's. */
function operatorRecipient(deps: RecipientDeps, operatorId: string, name: string): Recipient {
  return {
    id: `operator:${operatorId}`,
    name,
    kind: 'operator',
    async tell({ accountId, requestId }) {
      const lines = await linesAt(deps, accountId, operatorId);
      if (lines.length === 0) return undefined;
      const operator = await deps.partners.operator(operatorId);
      let reference: string | null = null;
      for (const line of lines) {
        const profile = await deps.inventory.byId(deps.db, line.profileId);
        if (profile === undefined) continue;
        const receipt = await forgotten(operator.forget({ iccid: profile.iccid, imsi: profile.imsi, requestId: `${requestId}:${line.lineId}` }));
        reference = receipt?.reference ?? reference;
      }
      return reference === null ? undefined : { state: 'confirmed', reference };
    },
  };
}

const acknowledgement = z.object({ receipt: z.string().min(1).max(120) });
const noticeTimeoutMs = 10_000;

/** The mail provider drops what it logged of the address once our last message has gone; idempotent by request id. */
function mailRecipient(deps: RecipientDeps, at: { readonly url: string; readonly key: string | undefined }): Recipient {
  return {
    id: 'mail-provider',
    name: 'mail provider',
    kind: 'message-gateway',
    async tell({ accountId, requestId, lastMessageBy }) {
      const { email } = await deps.accounts.contactPoint(accountId);
      const answer = await fetch(at.url, {
        method: 'POST', redirect: 'error', signal: AbortSignal.timeout(noticeTimeoutMs), body: JSON.stringify({ requestId, address: email, forgetAfter: lastMessageBy.toISOString() }),
        headers: { 'content-type': 'application/json', ...(at.key === undefined ? {} : { authorization: `Bearer ${at.key}` }) },
      });
      if (!answer.ok) throw new ServiceError('closure/recipient-unreachable', { recipient: 'mail provider', status: answer.status });
      return { state: 'confirmed', reference: acknowledgement.parse(await answer.json()).receipt };
    },
  };
}

/** Everyone who holds data of travellers because of us. */
export async function recipientsOf(deps: RecipientDeps): Promise<Recipient[]> {
  const recipients: Recipient[] = [{
    id: 'payment-processor',
    name: 'payment processor',
    kind: 'payment-processor',
    async tell({ accountId }) {
      const receipt = await deps.payments.tellProcessor(accountId);
      return receipt.payments === 0 ? undefined : { state: 'confirmed', reference: receipt.reference };
    },
  }];
  if (deps.mailErasure !== undefined) recipients.push(mailRecipient(deps, deps.mailErasure));
  for (let after: string | null = null; ;) {
    const batch: Awaited<ReturnType<Partners['list']>> = await deps.partners.list(deps.db, after, 100);
    for (const operator of batch) recipients.push(operatorRecipient(deps, operator.operatorId, operator.name));
    after = batch.at(-1)?.code ?? null;
    if (batch.length < 100) return recipients;
  }
}
