import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WebhookFaults {
  /** Events to come that are sent two times over. */
  duplicate: number;
  /** Events to come that are never sent. */
  drop: number;
  /** Every event waits this long. */
  delayMs: number;
}

export interface Webhooks {
  readonly faults: WebhookFaults;
  send(type: string, object: unknown): void;
  /** Waits until every event was taken or given up. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const retryAfterMs = [200, 500, 1000, 2000, 4000, 8000];

/** Signed as Stripe signs: `t=<seconds>,v1=<HMAC-SHA256 of "t.body">`. */
export function signatureHeader(body: string, secret: string, at: Date): string {
  const seconds = Math.floor(at.getTime() / 1000);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

export function createWebhooks(url: string, secret: string, now: () => Date): Webhooks {
  const faults: WebhookFaults = { duplicate: 0, drop: 0, delayMs: 0 };
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();

  async function attempt(body: string): Promise<boolean> {
    try {
      const answer = await fetch(url, {
        method: 'POST', body,
        headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signatureHeader(body, secret, now()) },
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(10_000)]),
      });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  }

  async function deliver(body: string): Promise<void> {
    const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
    if (faults.delayMs > 0) await pause(faults.delayMs);
    for (const ms of retryAfterMs) {
      if (stopping.signal.aborted || await attempt(body)) return;
      await pause(ms);
    }
  }

  function track(work: Promise<void>): void {
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  }

  return {
    faults,
    send(type, object) {
      if (faults.drop > 0) {
        faults.drop -= 1;
        return;
      }
      const body = JSON.stringify({
        id: `evt_${randomBytes(12).toString('hex')}`, object: 'event', api_version: '2026-01-28', livemode: false, pending_webhooks: 1,
        created: Math.floor(now().getTime() / 1000), type, data: { object }, request: { id: null, idempotency_key: null },
      });
      track(deliver(body));
      if (faults.duplicate > 0) {
        faults.duplicate -= 1;
        track(deliver(body));
      }
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    async stop() {
      stopping.abort();
      await Promise.all(underWay);
    },
  };
}
