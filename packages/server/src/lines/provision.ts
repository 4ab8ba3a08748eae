import { isWorthRepeating } from '../partners/index.ts';
import type { Transactor } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Json, Saga, StepContext } from '../platform/jobs/types.ts';
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

/** Provisions a new line: the operator first, so that no phone downloads a profile that no network serves. */
export function provisionSaga(deps: ProvisionDeps): Saga<Input> {
  const actor = bySystem('provision');
  const call = async (context: StepContext<Input>, verb: 'activate' | 'terminate'): Promise<void> =>
    callOperator(deps, await lineOf(deps, context.input.lineId), verb, `${context.sagaId}:${verb}`);
  return {
    kind: 'provision',
    maxAttempts: 6,
    steps: [
      {
        name: 'activate',
        run: async (context) => {
          try {
            await call(context, 'activate');
          } catch (error) {
            if (isRefusal(error)) return { kind: 'refused', code: error.code };
            throw error;
          }
          await context.transaction((tx) => changeService(deps, tx, context.input.lineId, 'activate', actor, null));
          return { kind: 'done' };
        },
        undo: async (context) => {
          await call(context, 'terminate');
          await context.transaction(async (tx) => {
            await changeService(deps, tx, context.input.lineId, 'terminate', actor, 'provisioning undone');
            const line = await store.lockLine(tx, context.input.lineId);
            if (line === undefined) return;
            await deps.downloads.cancel(tx, line.profileId);
            await deps.stock.retire(tx, line.profileId);
            await noteDelivery(deps, tx, line, 'retired', actor, 'provisioning undone');
          });
        },
      },
      {
        name: 'release',
        run: async (context) => {
          await context.transaction(async (tx) => {
            const line = await store.lockLine(tx, context.input.lineId);
            if (line === undefined) throw new ServiceError('lines/unknown', { lineId: context.input.lineId });
            await deps.downloads.release(tx, line.profileId);
            await noteDelivery(deps, tx, line, 'released', actor, null);
          });
          return { kind: 'done' };
        },
      },
    ],
    onEnd: async (tx, _sagaId, input, end) => {
      const line = await store.findLine(tx, input.lineId);
      if (line === undefined) return;
      const body = { lineId: line.lineId, accountId: line.accountId };
      await deps.outbox.emit(tx, end === 'completed' ? lineProvisioned : lineFailed, line.lineId, body);
    },
  };
}
