import type { JobsLog } from './types.ts';
import { describeFailure } from './failure.ts';

/** Claims work and runs it, at most `concurrency` pieces at a time. */
export interface PumpOptions<T> {
  readonly name: string;
  readonly concurrency: number;
  /** Pause between looks while nothing was found; grows to four times as much while nothing comes. */
  readonly idleMs: number;
  readonly log: JobsLog;
  readonly claim: (limit: number) => Promise<readonly T[]>;
  readonly run: (piece: T) => Promise<void>;
}

export interface Pump {
  start(): void;
  /** Claims no more and waits for what runs. */
  stop(): Promise<void>;
  /** Look now: there may be work. */
  poke(): void;
  /** Claims and runs until a claim comes back empty and nothing runs; answers how many pieces ran. */
  drain(): Promise<number>;
}

/** Longer the longer nothing was found; processes started together must not keep asking together. */
function pauseAfter(emptyLooks: number, idleMs: number): number {
  return idleMs * Math.max(1, Math.min(emptyLooks / 4, 4)) * (0.8 + Math.random() * 0.4);
}

async function drainAll(claimFree: () => Promise<number>, active: ReadonlySet<Promise<void>>): Promise<number> {
  let ran = 0;
  for (;;) {
    const found = await claimFree();
    ran += found;
    if (found === 0 && active.size === 0) return ran;
    if (active.size > 0) await Promise.race(active);
  }
}

export function createPump<T>(options: PumpOptions<T>): Pump {
  const active = new Set<Promise<void>>();
  let running: Promise<void> | undefined;
  let stopping = false;
  let poked = false;
  let emptyLooks = 0;
  let rouse = (): void => {};

  const poke = (): void => { poked = true; emptyLooks = 0; rouse(); };

  const begin = (piece: T): void => {
    const ended = options.run(piece)
      .catch((error: unknown) => { options.log.error({ pump: options.name, failure: describeFailure(error) }, 'work broke off'); })
      .finally(() => { active.delete(ended); poke(); });
    active.add(ended);
  };

  const claimFree = async (): Promise<number> => {
    const free = options.concurrency - active.size;
    if (free <= 0) return 0;
    const pieces = await options.claim(free);
    pieces.forEach(begin);
    return pieces.length;
  };

  const rest = (): Promise<void> => new Promise((resolve) => {
    const timer = setTimeout(resolve, pauseAfter(emptyLooks, options.idleMs));
    rouse = () => { clearTimeout(timer); resolve(); };
    if (poked || stopping) rouse();
  });

  const loop = async (): Promise<void> => {
    while (!stopping) {
      poked = false;
      let found = 0;
      try {
        found = await claimFree();
      } catch (error) {
        options.log.warn({ pump: options.name, failure: describeFailure(error) }, 'could not look for work');
        await new Promise((resolve) => setTimeout(resolve, options.idleMs));
      }
      emptyLooks = found === 0 ? emptyLooks + 1 : 0;
      if (found === 0) await rest();
    }
  };

  return {
    start() {
      if (running !== undefined) return;
      stopping = false;
      running = loop();
    },
    async stop() {
      stopping = true;
      rouse();
      await running;
      running = undefined;
      while (active.size > 0) await Promise.all(active);
    },
    poke,
    drain: () => drainAll(claimFree, active),
  };
}
