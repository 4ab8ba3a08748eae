import type { CatalogueRow, DeviceModel, LocalText } from '@yuanyou/contract';
import { deviceReasons } from './model.ts';
import type { DeviceReason } from './model.ts';
import type { Reader } from '../platform/db/index.ts';
import * as store from './store.ts';
import { termOf } from './words.ts';

/** What is known of a device, and where it shall work: an operator's countries, or one country with any operator. */
export interface DeviceQuestion {
  readonly name?: string | undefined;
  readonly eid?: string | undefined;
  readonly at?: { readonly operatorId: string | null; readonly countries: readonly string[] } | undefined;
}

export interface DeviceAnswer {
  readonly verdict: 'works' | 'depends' | 'does-not-work' | 'unknown';
  readonly device: DeviceModel | null;
  readonly reasons: { readonly code: DeviceReason; readonly text: LocalText }[];
}

type Rats = CatalogueRow<'devices'>['rats'];

async function deviceCalled(db: Reader, name: string | undefined): Promise<DeviceModel | undefined> {
  const term = name === undefined ? '' : termOf(name);
  if (term === '') return undefined;
  const [found, another] = await store.devicesCalled(db, term);
  // A name that two devices share says too little.
  return another === undefined ? found : undefined;
}

/** What the networks say of a device; undefined where they make no difference. */
function networkReason(device: Rats, places: readonly { readonly rats: Rats }[]): DeviceReason | undefined {
  if (places.some(({ rats }) => !rats.some((rat) => device.includes(rat)))) return 'no-common-network';
  return places.some(({ rats }) => rats.includes('5G')) && !device.includes('5G') ? 'slower-than-network' : undefined;
}

const byEsim = { yes: ['works', 'takes-profiles'], no: ['does-not-work', 'takes-no-profiles'], depends: ['depends', 'depends-on-market'] } as const;

/** Whether a device will work, before anything is bought. An EID that the device shows outweighs the list. */
export async function checkDevice(db: Reader, { name, eid, at }: DeviceQuestion): Promise<DeviceAnswer> {
  const device = await deviceCalled(db, name);
  const shown = eid === undefined ? undefined : isEid(eid.replaceAll(/\s/g, ''));
  const reasons: DeviceReason[] = [];
  let verdict: DeviceAnswer['verdict'] = 'unknown';
  if (device !== undefined) {
    const [listed, reason] = byEsim[device.esim];
    verdict = listed;
    reasons.push(reason);
  } else if (name !== undefined || eid === undefined) reasons.push('not-in-list');
  if (shown === true) {
    verdict = 'works';
    reasons.splice(0, reasons.length, 'has-eid');
  } else if (shown === false) reasons.push('wrong-eid');
  const network = device === undefined || at === undefined ? undefined : networkReason(device.rats, await store.ratsIn(db, at.operatorId, at.countries));
  if (network !== undefined) reasons.push(network);
  if (network === 'no-common-network') verdict = 'does-not-work';
  if (verdict === 'works' || verdict === 'depends') reasons.push('unlock');
  return { verdict, device: device ?? null, reasons: reasons.map((code) => ({ code, text: deviceReasons[code] })) };
}

/** 32 digits whose remainder by 97 is 1, as the check digits of an EID make it. */
function isEid(text: string): boolean {
  return /^\d{32}$/.test(text) && BigInt(text) % 97n === 1n;
}
