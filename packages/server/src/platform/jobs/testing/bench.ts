import { manualClock } from '../../clock/index.ts';
import type { Database } from '../../db/index.ts';
import { newId } from '../../ids.ts';
import { createJobs } from '../index.ts';
import type { Jobs, JobsSettings, Json, Saga, SagaFaults, SagaView } from '../index.ts';
import { silentLog } from './log.ts';

export const start = new Date('2026-11-22T08:00:00Z');

/** Jobs under a clock that the test moves. */
export interface Bench { readonly jobs: Jobs; readonly clock: ReturnType<typeof manualClock> }

export function benchOn(
  db: Database, sagas: readonly Saga<never>[], options: { faults?: SagaFaults; settings?: Partial<JobsSettings> } = {},
): Bench {
  const clock = manualClock(start);
  const jobs = createJobs({ db, clock, log: silentLog, ...options });
  for (const saga of sagas) jobs.sagas.register(saga as unknown as Saga<Json>);
  return { jobs, clock };
}

export async function beginOn(db: Database, jobs: Jobs, kind: string, input: Json = {}): Promise<string> {
  const sagaId = newId();
  await db.transaction((tx) => jobs.sagas.start(tx, kind, sagaId, input));
  return sagaId;
}

export async function see(jobs: Jobs, sagaId: string): Promise<SagaView> {
  const view = await jobs.sagas.view(sagaId);
  if (view === undefined) throw new Error('no such saga');
  return view;
}

/** Drains again and again while time passes. */
export async function pass(on: Bench, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    await on.jobs.drain();
    on.clock.advance(60_000);
  }
  await on.jobs.drain();
}
