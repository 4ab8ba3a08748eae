import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ContractError } from '@yuanyou/contract';
import { buying, messages } from '../../src/demo/buy.ts';
import { until } from '../../src/demo/journey.ts';
import type { Journey, Traveller } from '../../src/demo/journey.ts';
import { apply, collect, deleteProfile, preflight, status } from '../../src/demo/leave.ts';
import { createDevelopmentPhone } from '../../src/phone/development.ts';
import { isPassing, patientClient } from './client.ts';
import type { Service } from './service.ts';

/** Test cards of the gateway, by what a refund to them does. */
export const cards = { plain: '4242424242424242', refundPending: '4000000000007726' } as const;

/** Obviously invented, each with values of their own that can be looked for. */
function invented(number: number, card: string): Traveller {
  return {
    email: `traveller.${number}@example.test`, password: `a test password, no. ${number}`, name: `Test Traveller the ${number}th`, card,
    contacts: [
      { name: `Example Hotel ${number}`, phone: `+81 75 555 ${String(1000 + number)}`, email: `front.${number}@hotel.example.test`, note: `room number ${number} by the garden` },
      { name: `Example Guide ${number}`, phone: `+81 90 5555 ${String(1000 + number)}`, email: null, note: null },
    ],
  };
}

/** A traveller with a phone, before anything has happened; their calls go on over deaths of the server. */
export function newTraveller(service: Service, number: number, card: string = cards.plain): Journey {
  const { cluster, agentSecret, folder } = service;
  const artefacts = join(folder, 'artefacts', String(number));
  mkdirSync(artefacts);
  const { gateway, operator, inbox } = cluster.simulators;
  return {
    traveller: invented(number, card), agentSecret,
    places: { apiUrl: cluster.members[0]!.apiUrl, gatewayUrl: gateway.url, operatorUrl: operator.url, inboxUrl: inbox.url, artefacts },
    client: patientClient({ urls: () => cluster.members.filter((member) => member.alive()).map((member) => member.apiUrl), from: `198.51.100.${number}` }),
    phone: createDevelopmentPhone({ pkiFolder: join(cluster.dataFolder, 'pki'), index: number, locate: () => cluster.locate() }),
  };
}

/** From sign-up to a line in use: 41.00 EUR in the balance, 5.00 EUR of credit, 15 % of a plan unused. */
export async function bringToUse(journey: Journey): Promise<Journey> {
  for (const act of buying) await act.run(journey);
  return journey;
}

/** `count` travellers with a line in use, numbered from `first` on. */
export async function inUse(service: Service, count: number, first = 1, card: string = cards.plain): Promise<Journey[]> {
  const journeys = Array.from({ length: count }, (_, index) => newTraveller(service, first + index, card));
  // Two cores: more at once only wait for each other.
  const waiting = [...journeys];
  const one = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await bringToUse(next);
  };
  await Promise.all([one(), one(), one()]);
  return journeys;
}

/**
 * Applies to leave, again when the server died before it answered. When an application was taken whose answer was lost, the receipt by
 * mail tells what the answer would have told: that is what it is for.
 */
export async function applyToLeave(j: Journey): Promise<void> {
  await preflight.run(j);
  let receipt: Receipt | undefined;
  for (const deadline = Date.now() + 200_000; receipt === undefined; await sleep(100)) {
    // One try at a time: whether to come back or to look into the mail is for the traveller to see.
    const hurried: Journey = { ...j, client: patientClient({ urls: () => [j.places.apiUrl], from: '198.51.100.250', patienceMs: 0 }) };
    const failure = await apply.run(hurried).then(() => undefined, (error: unknown) => error);
    if (hurried.caseNumber !== undefined) receipt = hurried as Required<Journey>;
    else if (failure instanceof ContractError && (failure.code === 'closure/already-open' || failure.status === 401)) receipt = await receiptOf(j);
    else if (!isPassing(failure) || Date.now() > deadline) throw failure;
  }
  j.caseNumber = receipt.caseNumber;
  j.accessCode = receipt.accessCode;
}

type Receipt = Pick<Required<Journey>, 'caseNumber' | 'accessCode'>;

async function receiptOf(j: Journey): Promise<Receipt> {
  return until('the receipt by mail', async () => {
    for (const { text } of await messages(j)) {
      const [, caseNumber, accessCode] = /Case number: (\S+)\nAccess code: (\S+)/.exec(text) ?? [];
      if (caseNumber !== undefined && accessCode !== undefined) return { caseNumber, accessCode };
    }
    return undefined;
  }, 90_000);
}

/**
 * Follows a closure to its end: deletes the profile when the closure waits for that, brings the notification again and again until it has
 * arrived, and collects what is left to the traveller.
 */
export async function followToEnd(j: Journey, longestMs = 200_000): Promise<void> {
  let deleted = false;
  const deadline = Date.now() + longestMs;
  for (;;) {
    const seen = await status(j);
    if (seen.state === 'completed') break;
    const at = seen.steps.find((step) => step.state !== 'done' && step.state !== 'pending');
    const standing = seen.steps.map((step) => `${step.step} ${step.state}`).join(', ');
    if (at?.state === 'stuck' || seen.state !== 'executing') throw new Error(`the closure went wrong: ${seen.state}; ${standing}`);
    if (Date.now() > deadline) throw new Error(`not completed after ${longestMs} ms: ${seen.state}; ${standing}`);
    if (at?.step === 'unbind-devices') {
      if (!deleted) await deleteProfile(j);
      deleted = true;
      // Nothing is lost when nobody is there to take it: the eUICC keeps it until it was taken.
      await j.phone.sendNotifications().catch(() => undefined);
    }
    await sleep(40);
  }
  await collect.run(j);
}

/** The whole way out. */
export async function leave(j: Journey): Promise<void> {
  await applyToLeave(j);
  await followToEnd(j);
}
