import { deleteResults, disableResults, enableResults, memoryResetResults, nicknameResults } from '../es10/index.ts';
import type { Es10Request, ProfileInfoInput } from '../es10/index.ts';
import { nameOf } from '../asn1/index.ts';
import { RspError } from '../errors.ts';
import { callEuicc } from './run.ts';
import type { CardOptions, LpaRun } from './run.ts';

/** The eUICC's EID, 32 digits. */
export function* readEid(options: CardOptions = {}): LpaRun<string> {
  return (yield* callEuicc('getEid', { tagList: Uint8Array.of(0x5a) }, options)).value.eid;
}

/**
 * All profiles that are installed.
 * @throws RspError `lpa/card`
 */
export function* listProfiles(options: CardOptions = {}): LpaRun<readonly ProfileInfoInput[]> {
  const { value } = yield* callEuicc('getProfilesInfo', {}, options);
  if (value.kind === 'error') throw new RspError('lpa/card', `getProfilesInfo: ${value.value}`);
  return value.value;
}

/** Enables a profile by its ICCID; one that is enabled is disabled by it. */
export function* enableProfile(iccid: string, options: CardOptions = {}): LpaRun<keyof typeof enableResults> {
  return resultName(enableResults, (yield* callEuicc('enableProfile', switchOf(iccid), options)).value.result);
}

/** Disables a profile by its ICCID. */
export function* disableProfile(iccid: string, options: CardOptions = {}): LpaRun<keyof typeof disableResults> {
  return resultName(disableResults, (yield* callEuicc('disableProfile', switchOf(iccid), options)).value.result);
}

/** Deletes a disabled profile by its ICCID. */
export function* deleteProfile(iccid: string, options: CardOptions = {}): LpaRun<keyof typeof deleteResults> {
  return resultName(deleteResults, (yield* callEuicc('deleteProfile', { kind: 'iccid', value: iccid }, options)).value.result);
}

/** Gives a profile the user's own name; an empty one takes it away. */
export function* nameProfile(iccid: string, nickname: string, options: CardOptions = {}): LpaRun<keyof typeof nicknameResults> {
  return resultName(nicknameResults, (yield* callEuicc('setNickname', { iccid, nickname }, options)).value.result);
}

/** Deletes profiles of the chosen kinds, enabled ones too. */
export function* resetMemory(choices: Es10Request<'memoryReset'>['options'], options: CardOptions = {}): LpaRun<keyof typeof memoryResetResults> {
  return resultName(memoryResetResults, (yield* callEuicc('memoryReset', { options: choices }, options)).value.result);
}

function switchOf(iccid: string): Es10Request<'enableProfile'> {
  return { profile: { kind: 'iccid', value: iccid }, refresh: true };
}

function resultName<T extends Readonly<Record<string, number>>>(names: T, code: number): keyof T & string {
  const name = nameOf(names, code);
  if (name === undefined) throw new RspError('lpa/card', `result ${code}`);
  return name;
}
