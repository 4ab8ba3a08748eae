import { setImmediate as nextTurn } from 'node:timers/promises';
import { recipes } from '../ledger/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Line } from '../lines/index.ts';
import type { Blobs } from '../platform/blobs/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Reader, Transactor, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Outbox } from '../platform/jobs/types.ts';
import type { DataKeys } from '../platform/keys/types.ts';
import { parseUsageCsv } from './csv.ts';
import { thresholdReached } from './events.ts';
import { raw } from './feed.ts';
import { drawDownAll } from './model.ts';
import type { Allowance, Drawdown, UsageRecord } from './model.ts';
import * as store from './store.ts';

/** Use that counts: records older than this are set aside, not charged. */
const acceptMs = 90 * 86_400_000;
/** Clocks of networks run ahead a little; a record further in the future is set aside. */
const aheadMs = 3_600_000;
/** Large batches are applied in pieces: no transaction is long, and everybody else has turns in between. */
const pieceRows = 5000;
/** While a batch is worked on, others keep away from it for this long from piece to piece. */
const workingMs = 60_000;

export interface ApplyDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly blobs: Blobs;
  readonly dataKeys: DataKeys;
  readonly outbox: Outbox;
  readonly ledger: Ledger;
  readonly stock: { byIccids(db: Reader, iccids: readonly string[]): Promise<readonly { readonly iccid: string; readonly profileId: string }[]> };
  readonly lines: { byProfiles(db: Reader, profileIds: readonly string[]): Promise<Line[]> };
  readonly tariffs: { costMinor(operatorId: string, bytes: bigint): Promise<{ readonly amountMinor: bigint; readonly currency: string }> };
}

interface Placement {
  readonly placed: store.PlacedRecord[];
  /** Rows whose record stands in the same file before, perhaps on another day. */
  readonly repeats: number;
  readonly suspended: (UsageRecord & { readonly reason: string })[];
}

async function linesByIccid(deps: ApplyDeps, records: readonly UsageRecord[]): Promise<Map<string, Line>> {
  const iccids = [...new Set(records.map((r) => r.iccid))];
  const profiles = await deps.stock.byIccids(deps.db, iccids);
  const lines = await deps.lines.byProfiles(deps.db, profiles.map((p) => p.profileId));
  const byProfile = new Map(lines.map((line) => [line.profileId, line]));
  return new Map(profiles.flatMap(({ iccid, profileId }) => {
    const line = byProfile.get(profileId);
    return line === undefined ? [] : [[iccid, line] as const];
  }));
}

/** Gives each record to its line, or sets it aside with a reason; nothing is dropped. `seen` are the records of the file so far. */
async function place(deps: ApplyDeps, operatorId: string, records: readonly UsageRecord[], seen: Set<string>): Promise<Placement> {
  const lines = await linesByIccid(deps, records);
  const now = deps.clock.now().getTime();
  const placed: store.PlacedRecord[] = [];
  const suspended: Placement['suspended'] = [];
  let repeats = 0;
  for (const record of records) {
    const line = lines.get(record.iccid);
    const at = record.startedAt.getTime();
    if (line === undefined) suspended.push({ ...record, reason: 'unknown profile' });
    else if (line.operatorId !== operatorId) suspended.push({ ...record, reason: 'another operator’s profile' });
    else if (at < line.createdAt.getTime() - aheadMs) suspended.push({ ...record, reason: 'before the line began' });
    else if (at < now - acceptMs) suspended.push({ ...record, reason: 'older than 90 days' });
    else if (at > now + aheadMs) suspended.push({ ...record, reason: 'in the future' });
    else if (seen.has(`${line.lineId} ${record.recordId}`)) repeats += 1;
    else {
      seen.add(`${line.lineId} ${record.recordId}`);
      placed.push({ ...record, lineId: line.lineId, day: record.startedAt.toISOString().slice(0, 10), late: false });
    }
  }
  return { placed, repeats, suspended };
}

interface Rated {
  /** One row for each allowance that changed. */
  readonly draws: Drawdown[];
  readonly normalBytes: bigint;
  readonly lateBytes: bigint;
}

function afterDraw(a: Allowance, draw: Drawdown): Allowance {
  return { ...a, usedBytes: draw.usedBytes, earnedMinor: a.earnedMinor + draw.earnedMinor, state: draw.state, validFrom: draw.validFrom, validUntil: draw.validUntil, toldPercent: draw.threshold ?? a.toldPercent };
}

function byLine(allowances: readonly Allowance[]): Map<string, Allowance[]> {
  const lines = new Map<string, Allowance[]>();
  for (const allowance of allowances) {
    const ofLine = lines.get(allowance.lineId);
    if (ofLine === undefined) lines.set(allowance.lineId, [allowance]);
    else ofLine.push(allowance);
  }
  return lines;
}

/** Rates records against the allowances that were valid when each ended: until then the network had not counted it. In the order of the events. */
export function rate(allowances: readonly Allowance[], records: readonly store.PlacedRecord[]): Rated {
  const lines = byLine(allowances);
  const touched = new Set<string>();
  let normalBytes = 0n;
  let lateBytes = 0n;
  for (const record of [...records].sort((x, y) => x.stoppedAt.getTime() - y.stoppedAt.getTime())) {
    const ofLine = lines.get(record.lineId) ?? [];
    if (isLate(ofLine, record.stoppedAt)) {
      lateBytes += record.bytes;
      continue;
    }
    normalBytes += record.bytes;
    for (const draw of drawDownAll(ofLine, record.bytes, record.stoppedAt).draws) {
      ofLine[ofLine.indexOf(draw.allowance)] = afterDraw(draw.allowance, draw);
      touched.add(draw.allowance.allowanceId);
    }
  }
  const now = new Map([...lines.values()].flat().map((a) => [a.allowanceId, a]));
  return { draws: allowances.filter((a) => touched.has(a.allowanceId)).map((a) => total(a, now.get(a.allowanceId)!)), normalBytes, lateBytes };
}

/** Use after the cutoff of a closure, or of before that arrives when the closure has settled: the traveller pays for neither. */
function isLate(allowances: readonly Allowance[], at: Date): boolean {
  return allowances.length > 0 && allowances.every((a) => a.cutoffAt !== null && (at >= a.cutoffAt || a.state === 'refunded' || a.state === 'revoked'));
}

function total(before: Allowance, after: Allowance): Drawdown {
  return {
    allowance: before,
    coveredBytes: after.usedBytes - before.usedBytes,
    earnedMinor: after.earnedMinor - before.earnedMinor,
    usedBytes: after.usedBytes,
    state: after.state,
    validFrom: after.validFrom,
    validUntil: after.validUntil,
    threshold: after.toldPercent > before.toldPercent ? after.toldPercent : null,
  };
}

/** A piece of a batch: the rows from `from` on, and whether they are the last. */
interface Piece {
  readonly batchId: string;
  readonly from: number;
  readonly records: readonly UsageRecord[];
  readonly last: boolean;
}

async function postEarned(deps: ApplyDeps, tx: Tx, { batchId, from }: Piece, draws: readonly Drawdown[]): Promise<void> {
  const byCurrency = new Map<string, bigint>();
  for (const { allowance, earnedMinor } of draws) byCurrency.set(allowance.currency, (byCurrency.get(allowance.currency) ?? 0n) + earnedMinor);
  for (const [currency, amountMinor] of byCurrency) {
    if (amountMinor === 0n) continue;
    await deps.ledger.post(tx, recipes.recogniseUsage({
      id: `usage:${batchId}:${from}:earned:${currency}`, at: deps.clock.now(), currency, amountMinor, refs: { batchId },
    }));
  }
}

async function postCosts(deps: ApplyDeps, tx: Tx, { batchId, from }: Piece, operatorId: string, rated: Rated): Promise<void> {
  const post = async (bytes: bigint, what: 'cost' | 'late'): Promise<void> => {
    const { amountMinor, currency } = await deps.tariffs.costMinor(operatorId, bytes);
    if (amountMinor === 0n) return;
    await deps.ledger.openPartner(tx, operatorId, currency);
    const recipe = what === 'cost' ? recipes.partnerCost : recipes.lateUsage;
    await deps.ledger.post(tx, recipe({
      id: `usage:${batchId}:${from}:${what}`, at: deps.clock.now(), currency, amountMinor, partnerId: operatorId, refs: { batchId },
    }));
  };
  await post(rated.normalBytes, 'cost');
  await post(rated.lateBytes, 'late');
}

/** Draws down, posts and notes the end of one piece. False when the batch is not where this piece begins: somebody else has gone on with it. */
async function save(deps: ApplyDeps, tx: Tx, piece: Piece, { placed, repeats, suspended }: Placement): Promise<boolean> {
  const batch = await store.lockBatch(tx, piece.batchId);
  if (batch === undefined || batch.state !== 'received' || batch.appliedRows !== piece.from) return false;
  const allowances = await store.lockAllowances(tx, [...new Set(placed.map((r) => r.lineId))]);
  const lines = byLine(allowances);
  const marked = placed.map((r) => ({ ...r, late: isLate(lines.get(r.lineId) ?? [], r.stoppedAt) }));
  const freshRows = await store.insertRecords(tx, piece.batchId, marked);
  const rated = rate(allowances, marked.filter((r) => freshRows.has(r.rowNo)));
  await store.saveDraws(tx, rated.draws);
  await store.insertSuspense(tx, piece.batchId, suspended, deps.clock.now());
  await postEarned(deps, tx, piece, rated.draws);
  await postCosts(deps, tx, piece, batch.operatorId, rated);
  for (const { allowance: a, threshold } of rated.draws) {
    if (threshold === null) continue;
    await deps.outbox.emit(tx, thresholdReached, a.lineId, { lineId: a.lineId, accountId: a.accountId, allowanceId: a.allowanceId, percent: threshold });
  }
  const at = deps.clock.now();
  await store.advanceBatch(tx, piece.batchId, {
    rows: piece.records.length, duplicates: placed.length - freshRows.size + repeats, suspended: suspended.length, last: piece.last,
    at, nextAttemptAt: new Date(at.getTime() + workingMs),
  });
  return true;
}

/**
 * Applies what is left of a received batch: read, then piece by piece placed and, in one transaction each, deduplicated, drawn down, posted
 * and noted. A repeat goes on where the last one ended.
 * @throws ServiceError `usage/file-refused`, `usage/raw-gone`: no repeat will do better
 */
export async function applyBatch(deps: ApplyDeps, batchId: string): Promise<void> {
  const batch = await store.findBatch(deps.db, batchId);
  if (batch === undefined || batch.state !== 'received') return;
  await deps.db.transaction((tx) => store.putOffBatch(tx, batchId, new Date(deps.clock.now().getTime() + workingMs), 0));
  const bytes = await raw(deps, batch);
  if (bytes === undefined) throw new ServiceError('usage/raw-gone', { batchId });
  const records = await parseUsageCsv(bytes);
  const seen = new Set<string>();
  for (let from = 0; from === 0 || from < records.length; from += pieceRows) {
    const piece: Piece = { batchId, from, records: records.slice(from, from + pieceRows), last: from + pieceRows >= records.length };
    const placement = await place(deps, batch.operatorId, piece.records, seen);
    if (from >= batch.appliedRows) {
      await store.ensurePartitions(deps.db, [...new Set(placement.placed.map((r) => r.day))].sort());
      if (!await deps.db.transaction((tx) => save(deps, tx, piece, placement))) return;
    }
    await nextTurn();
  }
}
