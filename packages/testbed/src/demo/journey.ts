import type { Client } from '@yuanyou/contract';
import type { Phone } from '../phone/index.ts';

/** Where everything is that the journey touches. */
export interface Places {
  readonly apiUrl: string;
  readonly gatewayUrl: string;
  readonly operatorUrl: string;
  readonly inboxUrl: string;
  /** Where the artefacts go: bundle, trust file, export. */
  readonly artefacts: string;
}

/** Who travels, and what they give of themselves. */
export interface Traveller {
  readonly email: string;
  readonly password: string;
  readonly name: string;
  /** A card number of the gateway's test cards. */
  readonly card: string;
  readonly contacts: readonly { readonly name: string; readonly phone: string; readonly email: string | null; readonly note: string | null }[];
}

/** A traveller of the demo: obviously invented, and another one at each run, so that a running service can be asked again. */
export function demoTraveller(run: string): Traveller {
  return {
    email: `demo.traveller.${run}@example.test`,
    password: `a demo password, ${run}`,
    name: `Demo Traveller ${run}`,
    card: '4242424242424242',
    contacts: [
      { name: `Example Hotel ${run}`, phone: '+81 75 555 0100', email: `front.${run}@hotel.example.test`, note: `the room by the garden, ${run}` },
      { name: `Example Guide ${run}`, phone: '+81 90 5555 0101', email: null, note: null },
    ],
  };
}

/** What the steps tell each other. */
export interface Journey {
  readonly traveller: Traveller;
  readonly places: Places;
  readonly client: Client;
  readonly phone: Phone;
  /** An agent's secret, for the voucher. */
  readonly agentSecret: string;
  accountId?: string;
  session?: string;
  lineId?: string;
  iccid?: string;
  caseNumber?: string;
  accessCode?: string;
  refundMinor?: number;
}

/** One step: answers a line for the reader, throws when it did not happen. */
export interface Act {
  readonly name: string;
  run(journey: Journey): Promise<string>;
}

export class DemoFailure extends Error {}

export function expectThat(condition: boolean, what: string): asserts condition {
  if (!condition) throw new DemoFailure(`expected: ${what}`);
}

/** What a step before this one must have left. */
export function known<T>(value: T | undefined, what: string): T {
  expectThat(value !== undefined, `${what} from an earlier step`);
  return value;
}

/** Asks until the answer is there. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, timeoutMs = 20_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    expectThat(Date.now() < end, `${what} within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}

export async function postJson(url: string, body: unknown): Promise<unknown> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) });
  const text = await answer.text();
  expectThat(answer.ok, `${url} to take it, not ${answer.status}: ${text.slice(0, 200)}`);
  return text === '' ? undefined : JSON.parse(text) as unknown;
}
