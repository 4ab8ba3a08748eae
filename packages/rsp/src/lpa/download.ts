import { parseActivationCode } from '../activation-code.ts';
import {
  authenticateErrors, bppCommands, cancelSessionReasons, CtxParams1, decode, downloadErrors, encode, installErrors, nameOf, ProfileInstallationResult,
  ProfileMetadata, ServerSigned1, SmdpSigned2,
} from '../asn1/index.ts';
import type { DeviceInfo, Input } from '../asn1/index.ts';
import { fromHex, toHex } from '../bytes.ts';
import { digestConfirmationCode, hashConfirmationCode } from '../confirmation-code.ts';
import { RspError } from '../errors.ts';
import type { Es9plusFunction, Es9plusResponse, StatusCode } from '../es9plus/index.ts';
import { parseCertificate } from '../pki/index.ts';
import { encodeTlv } from '../tlv/index.ts';
import { packageChains } from './package-chains.ts';
import { callEuicc, callSmdp, sendCall, sendObject } from './run.ts';
import type { CardOptions, LpaRun } from './run.ts';

/** What a download starts from. */
export interface DownloadOptions extends CardOptions {
  /** An activation code; instead of it, an SM-DP+ address alone asks for the profile that waits for this EID. */
  readonly activationCode?: string;
  readonly smdpAddress?: string;
  readonly confirmationCode?: string;
  /** The end user's consent; called with the profile's metadata. Default: yes. */
  readonly accept?: (metadata: ProfileMetadata) => boolean;
  /** The phone; default a made-up one without IMEI. */
  readonly device?: Input<typeof DeviceInfo>;
}

/** Why there is no profile. Only what a phone can tell its user apart. */
export type DownloadFailure =
  /** The SM-DP+ refused. */
  | { readonly kind: 'smdp'; readonly function: Es9plusFunction; readonly status: StatusCode }
  /** The eUICC refused what the SM-DP+ sent; `reason` is the name of its error value. */
  | { readonly kind: 'euicc'; readonly function: 'authenticateServer' | 'prepareDownload'; readonly code: number; readonly reason: string }
  /** The bound profile package did not install. */
  | { readonly kind: 'installation'; readonly command: string; readonly reason: string }
  /** The SM-DP+ is another than the activation code says, or its answers contradict each other. */
  | { readonly kind: 'mismatch'; readonly what: 'transactionId' | 'serverAddress' | 'smdpOid' | 'metadata' }
  | { readonly kind: 'confirmation-code-missing' }
  | { readonly kind: 'declined' };

/** How a download ended. */
export type DownloadOutcome =
  | { readonly installed: true; readonly iccid: string; readonly metadata: ProfileMetadata; readonly sequenceNumber: number; readonly transactionId: string }
  | { readonly installed: false; readonly failure: DownloadFailure; readonly transactionId?: string };

/** Ends the run with a failure that is no fault of the program. */
class Refusal extends Error {
  readonly failure: DownloadFailure;
  /** The session to be cancelled, and why; absent when there is none any more. */
  readonly cancel: keyof typeof cancelSessionReasons | undefined;

  constructor(failure: DownloadFailure, cancel?: keyof typeof cancelSessionReasons) {
    super(failure.kind);
    this.failure = failure;
    this.cancel = cancel;
  }
}

/** What the run has learned of its session so far. */
interface Session {
  readonly address: string;
  transactionId?: string;
}

/**
 * Downloads and installs one profile: mutual authentication, consent, confirmation code, package, installation. A session that ends early is
 * cancelled at the eUICC and at the SM-DP+. The install notification waits in the eUICC for `sendNotifications`.
 * @throws RspError `activation-code/malformed`, `lpa/*`, `es9plus/*`
 */
export function* download(options: DownloadOptions): LpaRun<DownloadOutcome> {
  const target = targetOf(options);
  const session: Session = { address: target.smdpAddress };
  try {
    const server = yield* initiate(session, options);
    requireServer(server, session, target.smdpOid);
    const offer = yield* authenticate(session, server, target.matchingId, options);
    const metadata = consent(offer, session, options);
    const prepared = yield* prepare(offer, session, options);
    const bound = yield* fetchPackage(session, prepared);
    const sequenceNumber = yield* install(bound, options);
    return { installed: true, iccid: metadata.iccid, metadata, sequenceNumber, transactionId: session.transactionId! };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.cancel && session.transactionId !== undefined) yield* cancelSession(session.address, session.transactionId, error.cancel, options);
    return { installed: false, failure: error.failure, ...(session.transactionId === undefined ? {} : { transactionId: session.transactionId }) };
  }
}

/**
 * Ends a session at the eUICC, and tells the SM-DP+ when the eUICC knew it.
 * @returns whether the SM-DP+ took it
 */
export function* cancelSession(
  address: string, transactionId: string, reason: keyof typeof cancelSessionReasons, options: CardOptions = {},
): LpaRun<boolean> {
  const call = { transactionId: fromHex(transactionId), reason: cancelSessionReasons[reason] };
  const { value, raw } = yield* callEuicc('cancelSession', call, options);
  if (value.kind === 'error') return false;
  return (yield* callSmdp('cancelSession', address, { transactionId, cancelSessionResponse: raw })).ok;
}

function targetOf(options: DownloadOptions): { readonly smdpAddress: string; readonly matchingId: string; readonly smdpOid?: string } {
  if (options.activationCode !== undefined) return parseActivationCode(options.activationCode);
  if (options.smdpAddress === undefined) throw new RspError('lpa/no-address');
  return { smdpAddress: options.smdpAddress, matchingId: '' };
}

function* initiate(session: Session, options: CardOptions): LpaRun<Es9plusResponse<'initiateAuthentication'>> {
  const { raw: euiccInfo1 } = yield* callEuicc('getEuiccInfo1', null, options);
  const { value } = yield* callEuicc('getEuiccChallenge', null, options);
  const fields = { euiccChallenge: value.euiccChallenge, euiccInfo1, smdpAddress: session.address };
  const answer = succeeded('initiateAuthentication', yield* callSmdp('initiateAuthentication', session.address, fields));
  session.transactionId = answer.transactionId;
  return answer;
}

/** What the LPA checks itself before the eUICC does its part. */
function requireServer(server: Es9plusResponse<'initiateAuthentication'>, session: Session, smdpOid: string | undefined): void {
  const signed = decode(ServerSigned1, server.serverSigned1);
  if (toHex(signed.transactionId) !== server.transactionId) throw new Refusal({ kind: 'mismatch', what: 'transactionId' });
  if (signed.serverAddress.toLowerCase() !== session.address.toLowerCase()) throw new Refusal({ kind: 'mismatch', what: 'serverAddress' });
  if (smdpOid !== undefined && !parseCertificate(server.serverCertificate).registeredIds.includes(smdpOid)) {
    throw new Refusal({ kind: 'mismatch', what: 'smdpOid' });
  }
}

function* authenticate(
  session: Session, server: Es9plusResponse<'initiateAuthentication'>, matchingId: string, options: DownloadOptions,
): LpaRun<Es9plusResponse<'authenticateClient'>> {
  const ctxParams1 = encode(CtxParams1, {
    kind: 'commonAuthentication', value: { ...(matchingId === '' ? {} : { matchingId }), deviceInfo: options.device ?? defaultDevice },
  });
  // Put together from the bytes received: the eUICC verifies the signature over them.
  const object = encodeTlv(
    0xbf38, server.serverSigned1, server.serverSignature1, server.euiccCiPKIdToBeUsed, server.serverCertificate, ctxParams1,
  );
  const { value, raw } = yield* sendCall('authenticateServer', object, options);
  if (value.kind === 'error') throw euiccRefusal('authenticateServer', value.value.code, authenticateErrors);
  const fields = { transactionId: server.transactionId, authenticateServerResponse: raw };
  const offer = succeeded('authenticateClient', yield* callSmdp('authenticateClient', session.address, fields));
  if (offer.transactionId !== server.transactionId) throw new Refusal({ kind: 'mismatch', what: 'transactionId' }, 'undefinedReason');
  return offer;
}

function consent(offer: Es9plusResponse<'authenticateClient'>, session: Session, options: DownloadOptions): ProfileMetadata {
  const metadata = decode(ProfileMetadata, offer.profileMetadata);
  const { transactionId } = decode(SmdpSigned2, offer.smdpSigned2);
  if (toHex(transactionId) !== session.transactionId) throw new Refusal({ kind: 'mismatch', what: 'transactionId' }, 'undefinedReason');
  if (options.accept && !options.accept(metadata)) throw new Refusal({ kind: 'declined' }, 'endUserRejection');
  return metadata;
}

/** PrepareDownload at the eUICC, with the confirmation code's digest where it is asked for. */
function* prepare(offer: Es9plusResponse<'authenticateClient'>, session: Session, options: DownloadOptions): LpaRun<Uint8Array> {
  const { ccRequired } = decode(SmdpSigned2, offer.smdpSigned2);
  const { confirmationCode } = options;
  if (ccRequired && confirmationCode === undefined) throw new Refusal({ kind: 'confirmation-code-missing' }, 'postponed');
  const hashCc = ccRequired && confirmationCode !== undefined
    ? [encodeTlv(0x04, hashConfirmationCode(digestConfirmationCode(confirmationCode), fromHex(session.transactionId!)))]
    : [];
  const object = encodeTlv(0xbf21, offer.smdpSigned2, offer.smdpSignature2, ...hashCc, offer.smdpCertificate);
  const { value, raw } = yield* sendCall('prepareDownload', object, options);
  if (value.kind === 'error') throw euiccRefusal('prepareDownload', value.value.code, downloadErrors);
  return raw;
}

function* fetchPackage(session: Session, prepareDownloadResponse: Uint8Array): LpaRun<Uint8Array> {
  const fields = { transactionId: session.transactionId!, prepareDownloadResponse };
  const answer = succeeded('getBoundProfilePackage', yield* callSmdp('getBoundProfilePackage', session.address, fields));
  if (answer.transactionId !== session.transactionId) throw new Refusal({ kind: 'mismatch', what: 'transactionId' }, 'undefinedReason');
  return answer.boundProfilePackage;
}

/**
 * Loads the package object by object until the eUICC answers with its result.
 * @returns sequence number of the install notification
 */
function* install(boundProfilePackage: Uint8Array, options: CardOptions): LpaRun<number> {
  for (const chain of chainsOrRefuse(boundProfilePackage)) {
    const answer = yield* sendObject(chain, options);
    if (answer.length === 0) continue;
    const { resultData } = decode(ProfileInstallationResult, answer);
    const { finalResult, notificationMetadata } = resultData;
    if (finalResult.kind === 'success') return notificationMetadata.sequenceNumber;
    throw new Refusal({
      kind: 'installation',
      command: nameOf(bppCommands, finalResult.value.command) ?? String(finalResult.value.command),
      reason: nameOf(installErrors, finalResult.value.reason) ?? String(finalResult.value.reason),
    });
  }
  throw new Refusal({ kind: 'installation', command: 'loadProfileElements', reason: 'incomplete' }, 'loadBppExecutionError');
}

function chainsOrRefuse(boundProfilePackage: Uint8Array): Uint8Array[] {
  try {
    return packageChains(boundProfilePackage);
  } catch (error) {
    if (!(error instanceof RspError)) throw error;
    throw new Refusal({ kind: 'installation', command: 'initialiseSecureChannel', reason: 'unreadable' }, 'loadBppExecutionError');
  }
}

function succeeded<F extends Es9plusFunction>(
  name: F, answer: { readonly ok: true; readonly fields: Es9plusResponse<F> } | { readonly ok: false; readonly failure: StatusCode },
): Es9plusResponse<F> {
  // The SM-DP+ ends a session that it refuses; the eUICC drops its own with the next challenge.
  if (!answer.ok) throw new Refusal({ kind: 'smdp', function: name, status: answer.failure });
  return answer.fields;
}

function euiccRefusal(name: 'authenticateServer' | 'prepareDownload', code: number, names: Readonly<Record<string, number>>): Refusal {
  return new Refusal({ kind: 'euicc', function: name, code, reason: nameOf(names, code) ?? String(code) });
}

const defaultDevice: Input<typeof DeviceInfo> = {
  tac: fromHex('35290611'),
  capabilities: { gsm: '5.0.0', utran: '8.0.0', eutranEpc: '15.0.0', nr5gc: '15.0.0', lpaSvn: '2.3.0' },
};
