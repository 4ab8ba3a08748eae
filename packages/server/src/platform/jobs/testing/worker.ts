import { openDatabase } from '../../db/index.ts';
import { systemClock } from '../../clock/index.ts';
import { createJobs, orderedFaults, type Saga } from '../index.ts';
import { silentLog } from './log.ts';
import { addEffect, removeEffect } from './store.ts';

export const travelSteps = ['pack', 'pay', 'fly', 'rest'] as const;

/** A saga of four steps that leave one row each; `pay` is the pivot. */
export function travelSaga(worker: string): Saga<{ to: string }> {
  return {
    kind: 'travel',
    steps: travelSteps.map((name) => ({
      name,
      ...(name === 'pay' ? { pivot: true as const } : {}),
      async run(context) {
        await context.transaction((tx) => addEffect(tx, context.sagaId, name, worker));
        return { kind: 'done', result: `${name} to ${context.input.to}` };
      },
      async undo(context) {
        await context.transaction((tx) => removeEffect(tx, context.sagaId, name));
      },
    })),
  };
}

/** A process of its own that works until it is killed: `worker.ts <database url> <name> <fault or empty>`. */
if (import.meta.main) {
  const [url, name, fault] = process.argv.slice(2);
  const jobs = createJobs({
    db: openDatabase(url!), clock: systemClock, log: silentLog, settings: { leaseMs: 600, idleMs: 30 },
    ...(fault === undefined || fault === '' ? {} : { faults: orderedFaults([{ at: fault, kind: 'sigkill' }]) }),
  });
  jobs.sagas.register(travelSaga(name!));
  jobs.start();
  process.stdout.write('ready\n');
}
