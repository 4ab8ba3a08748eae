import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import {
  bppCommands, ConfigureIsdpRequest, decode, installErrors, InitialiseSecureChannelRequest, oid, ProfileMetadata, profileClasses, secureChannelCovered,
} from '../asn1/index.ts';
import { deriveSessionKeys } from '../bsp/index.ts';
import { equalBytes } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { statusWords } from '../es10/index.ts';
import { beginOpening, enterSection, isOpened, openSegment } from '../package/index.ts';
import type { OpenedSection } from '../package/index.ts';
import { agree, parseCertificate, publicKeyOf, verifyRaw } from '../pki/index.ts';
import { readProfilePackage } from '../saip/index.ts';
import { isConstructed, readTlv, readTlvHead } from '../tlv/index.ts';
import { concludeInstallation, notify } from './notifications.ts';
import type { InstallationOutcome } from './notifications.ts';
import { withoutSession } from './reply.ts';
import type { Reply } from './reply.ts';
import { freeMemory, metadataOf } from './state.ts';
import type { EuiccContext, EuiccSession, EuiccState, InstalledProfile } from './state.ts';

/** Memory that a profile takes up besides its package. */
const PROFILE_OVERHEAD_BYTES = 2_048;
/** EUICCResponse: one profile element status, ok. */
const SIMA_OK = Buffer.from('3007A0053003800100', 'hex');

/** The tags of LoadBoundProfilePackage's chains. */
export const loadTags = {
  boundProfilePackage: 0xbf36, sections: [0xa0, 0xa1, 0xa2, 0xa3], segments: [0x86, 0x87, 0x88],
} as const;

/** An installation that fails: at which part of the package, and why. */
class InstallError extends Error {
  readonly command: keyof typeof bppCommands;
  readonly reason: keyof typeof installErrors;

  constructor(command: keyof typeof bppCommands, reason: keyof typeof installErrors) {
    super(`${command}: ${reason}`);
    this.command = command;
    this.reason = reason;
  }
}

type Ready = EuiccSession & Required<Pick<EuiccSession, 'authenticated' | 'prepared'>>;
type Loading = Ready & Required<Pick<EuiccSession, 'loading'>>;

/**
 * One STORE DATA chain of a bound profile package: `BF36`'s head with `BF23` behind it, a section's head with or without segments, or a
 * segment. A number is a status word: the chain is out of place and changes nothing.
 */
export function loadPackage(state: EuiccState, chain: Uint8Array, context: EuiccContext): Reply | number {
  const { tag, length, headBytes } = readTlvHead(chain);
  const session = state.session;
  if (!isReady(session)) return statusWords.conditionsNotSatisfied;
  if (tag === loadTags.boundProfilePackage) {
    if (session.loading) return statusWords.conditionsNotSatisfied;
    const first = chain.subarray(headBytes);
    if (first.length > length) return statusWords.wrongData;
    return attempt(state, session, context, 'initialiseSecureChannel', () => openChannel(state, session, first, context));
  }
  if (!isLoading(session)) return statusWords.conditionsNotSatisfied;
  return attempt(state, session, context, commandAt(session, tag), () => advance(state, session, chain, context));
}

/** Runs one step; what it throws ends the session with a signed error result. */
function attempt(state: EuiccState, session: Ready, context: EuiccContext, command: keyof typeof bppCommands, step: () => Reply): Reply {
  try {
    return step();
  } catch (error) {
    const failure = error instanceof InstallError ? error : new InstallError(command, reasonOf(error));
    const iccid = session.loading?.metadata && decode(ProfileMetadata, session.loading.metadata).iccid;
    return conclude(withoutSession(state), session, context, {
      ...(iccid === undefined ? {} : { iccid }),
      finalResult: { kind: 'error', value: { command: bppCommands[failure.command], reason: installErrors[failure.reason] } },
    });
  }
}

function conclude(state: EuiccState, session: Ready, context: EuiccContext, outcome: Pick<InstallationOutcome, 'iccid' | 'finalResult'>): Reply {
  const { transactionId, serverAddress, smdpOid, ciKeyId } = session.authenticated;
  const concluded = concludeInstallation(state, ciKeyId, { transactionId, address: serverAddress, smdpOid, ...outcome }, context);
  return { state: concluded.state, answer: concluded.result };
}

/** InitialiseSecureChannel (`BF23`): is it this SM-DP+, for this session, with what this eUICC can do? */
function openChannel(state: EuiccState, session: Ready, object: Uint8Array, context: EuiccContext): Reply {
  const fail = (reason: keyof typeof installErrors): InstallError => new InstallError('initialiseSecureChannel', reason);
  const { smdpCertificate, oneTimeKey } = session.prepared;
  const request = decode(InitialiseSecureChannelRequest, object);
  const smdpKey = publicKeyOf(parseCertificate(smdpCertificate), context.cache);
  if (!verifyRaw(smdpKey, secureChannelCovered(request, oneTimeKey.publicKey), request.smdpSign)) throw fail('invalidSignature');
  if (!equalBytes(request.transactionId, session.authenticated.transactionId)) throw fail('invalidTransactionId');
  if (request.remoteOperation !== 1) throw fail('unsupportedRemoteOperationType');
  const { keyType, keyLength, hostId } = request.controlRefTemplate;
  if (keyType[0] !== 0x88 || keyLength[0] !== 0x10) throw fail('unsupportedCrtValues');
  const sessionKeys = deriveSessionKeys(agree(oneTimeKey, request.smdpOtpk), { hostId, eid: state.eid });
  return { state: { ...state, session: { ...session, loading: { opening: beginOpening(sessionKeys) } } }, answer: new Uint8Array(0) };
}

/** Takes the heads and segments of one chain, and installs once the last segment is there. */
function advance(state: EuiccState, session: Loading, chain: Uint8Array, context: EuiccContext): Reply {
  let { opening, metadata } = session.loading;
  let upp: Uint8Array | undefined;
  for (let rest = chain; rest.length > 0;) {
    const { tag, length, headBytes } = readTlvHead(rest);
    if (isConstructed(tag)) {
      opening = enterSection(opening, tag, length);
      requireMemory(state, tag, length);
      rest = rest.subarray(headBytes);
      continue;
    }
    const end = headBytes + length;
    const opened = openSegment(opening, readTlv(rest.subarray(0, end)).raw);
    opening = opened.opening;
    if (opened.ended) ({ metadata, upp } = take(state, session, opened.ended, metadata));
    rest = rest.subarray(end);
  }
  if (isOpened(opening) && upp && metadata) return install(state, session, metadata, upp, context);
  const loading = metadata === undefined ? { opening } : { opening, metadata };
  return { state: { ...state, session: { ...session, loading } }, answer: new Uint8Array(0) };
}

interface Taken {
  metadata: Uint8Array | undefined;
  upp: Uint8Array | undefined;
}

function take(state: EuiccState, session: Loading, { section, content }: OpenedSection, metadata: Uint8Array | undefined): Taken {
  if (section === 'configureIsdp') requireIsdp(session, content);
  if (section === 'storeMetadata') requireMetadata(state, content);
  return { metadata: section === 'storeMetadata' ? content : metadata, upp: section === 'profileElements' ? content : undefined };
}

/** ConfigureISDP (`BF24`): the SM-DP+ that may manage the ISD-P is the one that was authenticated. */
function requireIsdp(session: Loading, content: Uint8Array): void {
  const fail = (): InstallError => new InstallError('configureISDP', 'incorrectInputValues');
  const request = orFail(fail, () => decode(ConfigureIsdpRequest, content));
  if (!request.dpProprietaryData) return;
  const [owner] = orFail(fail, () => readTlv(request.dpProprietaryData!).children());
  if (!owner || orFail(fail, () => oid(0x80).decode(owner)) !== session.authenticated.smdpOid) throw fail();
}

/** StoreMetadata (`BF25`): may a profile with this description be installed here? */
function requireMetadata(state: EuiccState, content: Uint8Array): void {
  const fail = (reason: keyof typeof installErrors): InstallError => new InstallError('storeMetadata', reason);
  const metadata = orFail(() => fail('incorrectInputValues'), () => decode(ProfileMetadata, content));
  if (state.profiles.some(({ iccid }) => iccid === metadata.iccid)) throw fail('installFailedDueToIccidAlreadyExistsOnEuicc');
  if (metadata.profileClass === profileClasses.provisioning) throw fail('unsupportedProfileClass');
  const rules = metadata.profilePolicyRules ?? [];
  const hasOperational = state.profiles.some((profile) => (metadataOf(profile).profileClass ?? profileClasses.operational) === profileClasses.operational);
  // PPR1 would bar every profile that is there already.
  if (rules.includes('ppr3') || (rules.includes('ppr1') && hasOperational)) throw fail('pprNotAllowed');
}

function requireMemory(state: EuiccState, tag: number, length: number): void {
  if (tag !== 0xa3 || length + PROFILE_OVERHEAD_BYTES <= freeMemory(state)) return;
  throw new InstallError('loadProfileElements', 'installFailedDueToInsufficientMemoryForProfile');
}

function install(state: EuiccState, session: Loading, metadataBytes: Uint8Array, upp: Uint8Array, context: EuiccContext): Reply {
  const metadata = decode(ProfileMetadata, metadataBytes);
  requireProfilePackage(upp, metadata.iccid);
  const aid = Buffer.from(`A0000005591010FFFFFFFF8900${state.nextAid.toString(16).padStart(4, '0')}00`, 'hex');
  const profile: InstalledProfile = {
    iccid: metadata.iccid, aid, state: 'disabled', metadata: metadataBytes,
    packageHash: createHash('sha256').update(upp).digest('hex'), bytes: upp.length + PROFILE_OVERHEAD_BYTES,
  };
  const { retryKey: _used, ...kept } = withoutSession(state);
  const installed: EuiccState = { ...kept, profiles: [...state.profiles, profile], nextAid: state.nextAid + 1 };
  const concluded = conclude(installed, session, context, {
    iccid: metadata.iccid, finalResult: { kind: 'success', value: { aid, simaResponse: SIMA_OK } },
  });
  // The result itself is the install notification of the SM-DP+; others whom the metadata names hear by one of their own.
  return { ...concluded, state: notify(concluded.state, profile, 'install', context, session.authenticated.serverAddress) };
}

/** The profile package itself: whole, in order, and of the ICCID that the metadata announced. */
function requireProfilePackage(upp: Uint8Array, iccid: string): void {
  const fail = (reason: keyof typeof installErrors): InstallError => new InstallError('loadProfileElements', reason);
  const profilePackage = orFail(() => fail('installFailedDueToPEProcessingError'), () => readProfilePackage(upp));
  if (profilePackage.iccid !== iccid) throw fail('installFailedDueToIccidMismatch');
}

/** The part of the package that a failure at this point of it belongs to. */
function commandAt(session: Loading, tag: number): keyof typeof bppCommands {
  const sectionTag = isConstructed(tag) ? tag : session.loading.opening.sectionTag;
  return commandsBySection[sectionTag ?? 0xa0] ?? 'configureISDP';
}

const commandsBySection: Readonly<Record<number, keyof typeof bppCommands>> = {
  0xa0: 'configureISDP', 0xa1: 'storeMetadata', 0xa2: 'replaceSessionKeys', 0xa3: 'loadProfileElements',
};

/** What an error of the layers below means to the SM-DP+. */
function reasonOf(error: unknown): keyof typeof installErrors {
  if (!(error instanceof RspError)) throw error;
  if (error.code === 'bsp/mac' || error.code === 'bsp/padding' || error.code === 'pki/point') return 'scp03tSecurityError';
  return 'scp03tStructureError';
}

function orFail<T>(failure: () => InstallError, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RspError) throw failure();
    throw error;
  }
}

function isReady(session: EuiccSession | undefined): session is Ready {
  return session?.authenticated !== undefined && session.prepared !== undefined;
}

function isLoading(session: Ready): session is Loading {
  return session.loading !== undefined;
}
