import { setTimeout as sleep } from 'node:timers/promises';
import { ContractError, createClient } from '@yuanyou/contract';
import type { Client } from '@yuanyou/contract';

export interface PatientOptions {
  /** Where to ask now; more than one are asked by turns. */
  readonly urls: () => readonly string[];
  /** The address the traveller comes from; the service trusts this machine to say it. */
  readonly from: string;
  /** How long one call goes on over deaths and restarts; default 60 s. */
  readonly patienceMs?: number;
}

/** What a client may meet when a server process or its database dies: worth the same call again, under the same key. */
export function isPassing(error: unknown): boolean {
  return error instanceof ContractError && (error.code === 'client/unreachable' || error.code === 'general/in-progress' || error.status >= 500);
}

/** A client that asks again, elsewhere or later, when its server dies. Every call it makes is repeatable. */
export function patientClient({ urls, from, patienceMs = 60_000 }: PatientOptions): Client {
  const marked: typeof fetch = (address, init) => {
    const headers = new Headers(init?.headers);
    headers.set('x-forwarded-for', from);
    return fetch(address, { ...init, headers });
  };
  let turn = 0;
  const call = async (...args: Parameters<Client['call']>): Promise<unknown> => {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const there = urls();
      const url = there[turn++ % Math.max(there.length, 1)];
      try {
        if (url === undefined) throw new ContractError('client/unreachable', 0);
        return await createClient({ baseUrl: url, fetch: marked, timeoutMs: 15_000 }).call(...args);
      } catch (error) {
        if (!isPassing(error) || Date.now() > deadline) throw error;
        await sleep(50);
      }
    }
  };
  return { call: call as Client['call'] };
}
