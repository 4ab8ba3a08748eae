import { decode } from '../asn1/index.ts';
import { RspError } from '../errors.ts';
import { es10Functions, statusWords } from '../es10/index.ts';
import type { Es10Name } from '../es10/index.ts';
import { readTlvHead } from '../tlv/index.ts';
import { getConfiguredAddresses, getEid, getEuiccInfo1, getEuiccInfo2, getRulesAuthorisationTable, setDefaultSmdpAddress } from './announce.ts';
import { authenticateServer, getEuiccChallenge } from './authenticate.ts';
import { cancelSession } from './cancel.ts';
import { loadPackage, loadTags } from './load.ts';
import { listNotifications, removeNotification, retrieveNotifications } from './notifications.ts';
import { prepareDownload } from './prepare.ts';
import { deleteProfile, disableProfile, enableProfile, getProfilesInfo, memoryReset, setNickname } from './profiles.ts';
import type { Perform, Reply } from './reply.ts';
import type { EuiccContext, EuiccState } from './state.ts';

/** How each function is carried out; LoadBoundProfilePackage comes in pieces and has a way of its own. */
const performers: { readonly [N in Exclude<Es10Name, 'loadBoundProfilePackage'>]: Perform<N> } = {
  getEid, getConfiguredAddresses, setDefaultSmdpAddress, getEuiccInfo1, getEuiccInfo2, getRulesAuthorisationTable, getEuiccChallenge,
  authenticateServer, prepareDownload, listNotifications, retrieveNotifications, removeNotification, cancelSession, getProfilesInfo,
  enableProfile, disableProfile, deleteProfile, memoryReset, setNickname,
};

const namesByTag = new Map(Object.entries(performers).map(([name]) => [es10Functions[name as Es10Name].tag, name as keyof typeof performers]));
const loadTagSet = new Set<number>([loadTags.boundProfilePackage, ...loadTags.sections, ...loadTags.segments]);

/**
 * Carries out one object that arrived by STORE DATA.
 * @returns the reply, or a status word: unknown tag 6A88, unreadable object 6A80, out of place 6985; the state then stays as it was
 */
export function perform(state: EuiccState, object: Uint8Array, context: EuiccContext): Reply | number {
  try {
    const { tag } = readTlvHead(object);
    if (loadTagSet.has(tag)) return loadPackage(state, object, context);
    const name = namesByTag.get(tag);
    if (name === undefined) return statusWords.referencedDataNotFound;
    return call(name, state, object, context);
  } catch (error) {
    if (error instanceof RspError) return statusWords.wrongData;
    throw error;
  }
}

function call<N extends keyof typeof performers>(name: N, state: EuiccState, object: Uint8Array, context: EuiccContext): Reply {
  return performers[name](state, decode(es10Functions[name].request as never, object), context);
}
