import { deliver, type DeliverDeps } from './deliver.ts';
import type { MailOutcome } from './mailer.ts';
import * as store from './store.ts';

const waveSize = 8;
/** A round ends well before the scheduler would take it for hung. */
const longestRoundMs = 120_000;
/** How long a provider that did not answer is left alone by what newly arrives. */
const quietMs = 30_000;

export interface Sender {
  /** A message was queued: sends it at once, unless the provider has just failed to answer; then its row waits for the sweep. */
  wake(messageId: string): Promise<void>;
  /** Sends what is due, the longest due first, until nothing is due or the provider does not answer. */
  sweep(): Promise<void>;
}

/** Sends messages by what their rows say. Any number of processes may do it: a row is claimed under its lock. */
export function createSender(deps: DeliverDeps): Sender {
  let quietUntil = 0;
  const attempt = async (messageId: string): Promise<MailOutcome | undefined> => {
    const outcome = await deliver(deps, messageId);
    if (outcome !== undefined) quietUntil = 'silent' in outcome ? deps.clock.now().getTime() + quietMs : 0;
    return outcome;
  };
  return {
    async wake(messageId) {
      // Attempts at a provider that is away last until they time out; they must not fill the places of all other deliveries.
      if (deps.clock.now().getTime() >= quietUntil) await attempt(messageId);
    },
    async sweep() {
      const end = performance.now() + longestRoundMs;
      while (performance.now() < end) {
        const due = await store.dueMessages(deps.db, deps.clock.now(), waveSize);
        const ended = await Promise.allSettled(due.map(attempt));
        const failed = ended.find((one) => one.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
        const outcomes = ended.flatMap((one) => (one.status === 'fulfilled' && one.value !== undefined ? [one.value] : []));
        if (due.length < waveSize || outcomes.every((outcome) => 'silent' in outcome)) return;
      }
    },
  };
}
