import { isWorthRepeating } from '../partners/index.ts';
import type { Transactor, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Json, Saga, StepContext, StepOutcome } from '../platform/jobs/types.ts';
import { changeService, noteDelivery } from './change.ts';
import type { ChangeDeps } from './change.ts';
import { lineFailed, lineProvisioned } from './events.ts';
import { bySystem } from './model.ts';
import type { Line } from './model.ts';
import type { Downloads, Operators, Stock } from './ports.ts';
import * as store from './store.ts';

export interface ProvisionDeps extends ChangeDeps {
  readonly db: Transactor;
  readonly operators: Operators;
  readonly stock: Stock;
  readonly downloads: Downloads;
}

/** An operator's no, as against no answer. */
function isRefusal(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.code.startsWith('partners/') && !isWorthRepeating(error);
}

/** One call to the operator that serves a line. Stopping what the operator has stopped, or never served, is done already: its own word decides. */
export async function callOperator(
  deps: Pick<ProvisionDeps, 'db' | 'operators' | 'stock'>, line: Line, verb: 'activate' | 'suspend' | 'resume' | 'terminate', requestId: string,
): Promise<void> {
  const profile = await deps.stock.byId(deps.db, line.profileId);
  if (profile === undefined) throw new ServiceError('lines/unknown', { lineId: line.lineId });
  const operator = await deps.operators.operator(line.operatorId);
  try {
    await operator[verb]({ iccid: profile.iccid, imsi: profile.imsi, requestId });
  } catch (error) {
    const stopping = verb === 'suspend' || verb === 'terminate';
    if (!stopping || !isRefusal(error) || !['terminated', 'unknown'].includes(await operator.state({ iccid: profile.iccid }))) throw error;
  }
}

async function lineOf(deps: Pick<ProvisionDeps, 'db'>, lineId: string): Promise<Line> {
  const line = await store.findLine(deps.db, lineId);
  if (line === undefined) throw new ServiceError('lines/unknown', { lineId });
  return line;
}

type Input = { readonly lineId: string } & { [key: string]: Json };

/** An operator that is away for this long is given up: the order is undone and what was paid goes back. */
export const longestProvisioningMs = 24 * 3_600_000;
/** On the way back nobody waits for the operator but us; after this long an agent looks into it. */
const longestUndoMs = 7 * 24 * 3_600_000;

/**
 * What an operator's answer means for a step: no answer is waited out, a no is final.
 * @throws what is neither
 */
function outcomeOf(error: unknown, context: StepContext<Input>, longestMs: number): StepOutcome {
  if (isRefusal(error)) return { kind: 'refused', code: error.code };
  if (!isWorthRepeating(error)) throw error;
  const waited = context.now().getTime() - context.startedAt.getTime();
  return waited < longestMs ? { kind: 'waiting', on: 'operator' } : { kind: 'refused', code: 'partners/operator-unreachable' };
}

function calling(deps: ProvisionDeps, verb: 'activate' | 'terminate') {
  return async (context: StepContext<Input>): Promise<void> =>
    callOperator(deps, await lineOf(deps, context.input.lineId), verb, `${context.sagaId}:${verb}`);
}

async function activate(deps: ProvisionDeps, context: StepContext<Input>): Promise<StepOutcome> {
  try {
    await calling(deps, 'activate')(context);
  } catch (error) {
    return outcomeOf(error, context, longestProvisioningMs);
  }
  await context.transaction((tx) => changeService(deps, tx, context.input.lineId, 'activate', bySystem('provision'), null));
  return { kind: 'done' };
}

/** Nothing can be downloaded any more, and whoever paid for the line hears that it failed: nobody waits for an operator to get money back. */
async function withdraw(deps: ProvisionDeps, tx: Tx, lineId: string): Promise<void> {
  const line = await store.lockLine(tx, lineId);
  if (line === undefined || line.delivery === 'retired') return;
  await deps.downloads.cancel(tx, line.profileId);
  await deps.stock.retire(tx, line.profileId);
  await noteDelivery(deps, tx, line, 'retired', bySystem('provision'), 'provisioning undone');
  await deps.outbox.emit(tx, lineFailed, lineId, { lineId, accountId: line.accountId });
}

async function undoActivate(deps: ProvisionDeps, context: StepContext<Input>): Promise<StepOutcome> {
  const { lineId } = context.input;
  await context.transaction((tx) => withdraw(deps, tx, lineId));
  try {
    await calling(deps, 'terminate')(context);
  } catch (error) {
    return outcomeOf(error, context, longestUndoMs);
  }
  await context.transaction((tx) => changeService(deps, tx, lineId, 'terminate', bySystem('provision'), 'provisioning undone'));
  return { kind: 'done' };
}

async function release(deps: ProvisionDeps, context: StepContext<Input>): Promise<StepOutcome> {
  await context.transaction(async (tx) => {
    const line = await store.lockLine(tx, context.input.lineId);
    if (line === undefined) throw new ServiceError('lines/unknown', { lineId: context.input.lineId });
    await deps.downloads.release(tx, line.profileId);
    await noteDelivery(deps, tx, line, 'released', bySystem('provision'), null);
  });
  return { kind: 'done' };
}

/** Provisions a new line: the operator first, so that no phone downloads a profile that no network serves. */
export function provisionSaga(deps: ProvisionDeps): Saga<Input> {
  return {
    kind: 'provision',
    maxAttempts: 6,
    steps: [
      { name: 'activate', run: (context) => activate(deps, context), undo: (context) => undoActivate(deps, context) },
      { name: 'release', run: (context) => release(deps, context) },
    ],
    onEnd: async (tx, _sagaId, input, end) => {
      const line = await store.findLine(tx, input.lineId);
      if (line === undefined) return;
      const body = { lineId: line.lineId, accountId: line.accountId };
      await deps.outbox.emit(tx, end === 'completed' ? lineProvisioned : lineFailed, line.lineId, body);
    },
  };
}
