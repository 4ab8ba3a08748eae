import { randomBytes } from 'node:crypto';
import { recipes } from '../ledger/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { PaymentsDeps } from './deps.ts';
import { readVoucherCode, voucherCode } from './model.ts';
import * as store from './store.ts';
import { requestKey } from './topup.ts';

/** A person mistypes a few times; a guesser of 2^80 codes needs more. */
const redeemLimit = { max: 10, windowMs: 3_600_000 };
const codesSubject = 'payments.vouchers';
const codesContext = 'payments.voucher_batch.codes';

export interface NewBatch {
  readonly agentId: string;
  readonly idempotencyKey: string;
  readonly name: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly count: number;
  readonly validUntil: Date;
}

export interface MadeBatch extends Omit<store.BatchRow, 'codes'> {
  readonly codes: readonly string[];
}

/** Makes a batch; a repeat under the same key answers the same codes. */
export async function createBatch(deps: PaymentsDeps, given: NewBatch): Promise<MadeBatch> {
  const { agentId, name, amountMinor, currency, count, validUntil } = given;
  const createdAt = deps.clock.now();
  if (!deps.currencies.includes(currency)) throw new ServiceError('payments/currency', { currency });
  if (validUntil <= createdAt) throw new ServiceError('payments/batch-over');
  const batchId = newId(createdAt.getTime());
  const fresh = Array.from({ length: count }, () => voucherCode(randomBytes(16)));
  const sealed = await deps.dataKeys.seal(codesSubject, codesContext, fresh.join('\n'));
  const key = requestKey(deps, 'voucher-batch', agentId, given.idempotencyKey);
  const batch = await deps.db.transaction(async (tx) => {
    const row = await store.insertBatch(tx, { batchId, name, agentId, requestKey: key, codes: sealed, amountMinor, currency, count, validUntil, createdAt });
    if (row.batchId !== batchId) return row;
    await store.insertVouchers(tx, batchId, fresh.map(() => newId(createdAt.getTime())), fresh.map((code) => codeIndex(deps, code)));
    await deps.audit.record(tx, {
      actor: { kind: 'agent', id: agentId }, action: 'payments.create-voucher-batch', subjectKind: 'voucher-batch', subjectId: batchId,
      details: { count, amountMinor: Number(amountMinor), currency },
    });
    return row;
  });
  const { codes: stored, ...rest } = batch;
  if (rest.amountMinor !== amountMinor || rest.count !== count || rest.currency !== currency) throw new ServiceError('payments/id-reused', { batchId: rest.batchId });
  return { ...rest, codes: (await deps.dataKeys.openText(codesSubject, codesContext, stored)).split('\n') };
}

function codeIndex(deps: PaymentsDeps, code: string): Buffer {
  return deps.blindIndex.of('payments.voucher', code.replaceAll('-', ''));
}

/** Turns a voucher into promotional credit, once, whoever else tries at the same time. */
export async function redeemVoucher(
  deps: PaymentsDeps, asked: { readonly accountId: string; readonly code: string; readonly idempotencyKey: string },
): Promise<{ readonly amountMinor: bigint; readonly currency: string }> {
  const { accountId } = asked;
  await deps.attempts.count('payments.voucher', accountId, redeemLimit);
  const code = readVoucherCode(asked.code);
  if (code === undefined) throw new ServiceError('payments/voucher-unknown');
  const key = requestKey(deps, 'voucher', accountId, asked.idempotencyKey);
  const voucher = await deps.db.transaction(async (tx) => {
    const at = deps.clock.now();
    const found = await store.lockVoucher(tx, codeIndex(deps, code));
    if (found === undefined) throw new ServiceError('payments/voucher-unknown');
    const { voucherId, amountMinor, currency } = found;
    if (found.accountId === accountId && found.requestKey?.equals(key) === true) return found;
    if (found.accountId !== null) throw new ServiceError('payments/voucher-spent', { voucherId });
    if (found.validUntil <= at) throw new ServiceError('payments/voucher-expired', { voucherId });
    await deps.requirePayer(tx, accountId);
    await store.setRedeemed(tx, voucherId, accountId, key, at);
    await deps.ledger.openTraveller(tx, accountId, currency);
    await deps.ledger.post(tx, recipes.voucher({ id: `voucher:${voucherId}`, at, currency, amountMinor, accountId, refs: { voucherId } }));
    return found;
  });
  await deps.attempts.clear('payments.voucher', accountId);
  return { amountMinor: voucher.amountMinor, currency: voucher.currency };
}
