import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../db/testing.ts';
import { systemClock } from '../../clock/index.ts';
import { newId } from '../../ids.ts';
import { createJobs, type Jobs } from '../index.ts';
import { silentLog } from '../testing/log.ts';
import { createEffects, effectsOf } from '../testing/store.ts';
import { travelSaga, travelSteps } from '../testing/worker.ts';

const workerPath = fileURLToPath(new URL('../testing/worker.ts', import.meta.url));
let database: TestDatabase;
let survivor: Jobs;
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await testDatabase();
  await createEffects(database.db);
  survivor = createJobs({ db: database.db, clock: systemClock, log: silentLog, settings: { leaseMs: 600, idleMs: 30 } });
  survivor.sagas.register(travelSaga('survivor'));
});
afterEach(async () => {
  await survivor.stop();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => database.drop());

async function startWorker(fault: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [workerPath, database.url, 'victim', fault], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

test.each(['travel:pack:after', 'travel:fly:before'])(
  'a worker killed at %s is followed by another within a short lease, and nothing is done twice over', async (fault) => {
    const child = await startWorker(fault);
    const sagaId = newId();
    const died = once(child, 'exit');
    await database.db.transaction((tx) => survivor.sagas.start(tx, 'travel', sagaId, { to: 'Oslo' }));
    expect((await died)[1]).toBe('SIGKILL');
    survivor.start();
    await expect.poll(async () => (await survivor.sagas.view(sagaId))?.status, { timeout: 8000 }).toBe('completed');
    const effects = await effectsOf(database.db, sagaId);
    expect(effects.map((effect) => effect.step)).toEqual([...travelSteps].toSorted());
    const [, step, moment] = fault.split(':');
    expect(effects.find((effect) => effect.step === step)).toMatchObject({ worker: 'survivor', times: moment === 'after' ? 2 : 1 });
    expect(effects.find((effect) => effect.step === 'rest')).toMatchObject({ worker: 'survivor', times: 1 });
  });
