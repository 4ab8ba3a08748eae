import type { StatusCode } from '../es9plus/index.ts';
import { RspError } from '../errors.ts';

interface RefusalRow {
  readonly subjectCode: string;
  readonly reasonCode: string;
  /** Shown to people by LPAs: plain words, one or two sentences. */
  readonly message: string;
  /** True where the RSP session cannot go on. */
  readonly endsSession?: true;
}

const askAgain = 'Start the download again. If it fails again, contact us.';

/** Why our SM-DP+ refuses, with the codes that SGP.22 gives for each case. */
export const refusals = {
  addressUnknown: { subjectCode: '8.8.1', reasonCode: '3.8', message: 'This server does not answer for the address in the activation code.' },
  ciNotSupported: { subjectCode: '8.8.2', reasonCode: '3.1', message: 'This phone and this server trust no certificate issuer in common.' },
  versionNotSupported: { subjectCode: '8.8.3', reasonCode: '3.1', message: 'This phone uses a version of remote provisioning that this server does not support.' },
  noServerCertificate: { subjectCode: '8.8.4', reasonCode: '3.7', message: 'This server has no certificate that this phone can check.' },
  transactionUnknown: { subjectCode: '8.10.1', reasonCode: '3.9', message: `The download session is unknown or has ended. ${askAgain}` },
  eumCertificateInvalid: { subjectCode: '8.1.2', reasonCode: '6.1', message: 'The certificate of the eUICC\'s manufacturer could not be verified.', endsSession: true },
  eumCertificateExpired: { subjectCode: '8.1.2', reasonCode: '6.3', message: 'The certificate of the eUICC\'s manufacturer has expired.', endsSession: true },
  euiccCertificateInvalid: { subjectCode: '8.1.3', reasonCode: '6.1', message: 'The certificate of the eUICC could not be verified.', endsSession: true },
  euiccCertificateExpired: { subjectCode: '8.1.3', reasonCode: '6.3', message: 'The certificate of the eUICC has expired.', endsSession: true },
  ciUnknown: { subjectCode: '8.11.1', reasonCode: '3.9', message: 'The eUICC\'s certificate was issued under an authority that this server does not know.', endsSession: true },
  signatureInvalid: { subjectCode: '8.1', reasonCode: '6.1', message: `The eUICC could not be verified. ${askAgain}`, endsSession: true },
  euiccReportedError: { subjectCode: '8.1', reasonCode: '6.1', message: `The eUICC refused to go on. ${askAgain}`, endsSession: true },
  matchingIdRefused: { subjectCode: '8.2.6', reasonCode: '3.8', message: 'The activation code is not valid, or no longer. Check it, or ask for a new one.', endsSession: true },
  eidRefused: { subjectCode: '8.1.1', reasonCode: '3.8', message: 'This profile belongs to another phone. Use that phone, or ask us to move the profile.', endsSession: true },
  profileNotReleased: { subjectCode: '8.2', reasonCode: '1.2', message: 'The profile is not ready for download. Try again in a few minutes.', endsSession: true },
  euiccNotEligible: { subjectCode: '8.2.5', reasonCode: '4.3', message: 'This phone cannot use this profile.', endsSession: true },
  memoryTooSmall: { subjectCode: '8.1', reasonCode: '4.8', message: 'The eUICC has too little free memory. Delete a profile that you no longer need, then try again.', endsSession: true },
  orderExpired: { subjectCode: '8.8.5', reasonCode: '4.10', message: 'The time to download this profile is over. Ask for a new activation code.', endsSession: true },
  downloadsUsedUp: { subjectCode: '8.8.5', reasonCode: '6.4', message: 'This profile was downloaded as often as it may be. Contact us.', endsSession: true },
  confirmationCodeMissing: { subjectCode: '8.2.7', reasonCode: '2.2', message: 'Enter the confirmation code that you received.' },
  confirmationCodeRefused: { subjectCode: '8.2.7', reasonCode: '3.8', message: 'The confirmation code is wrong. Start the download again with the right one.', endsSession: true },
  confirmationTriesUsedUp: { subjectCode: '8.2.7', reasonCode: '6.4', message: 'The confirmation code was entered wrongly too often. Contact us.', endsSession: true },
  otherKeyRefused: { subjectCode: '8.2', reasonCode: '3.7', message: `The eUICC answered with another key than before. ${askAgain}`, endsSession: true },
  smdpOidWrong: { subjectCode: '8.8', reasonCode: '3.10', message: 'The session to be cancelled is one with another server.' },
} as const satisfies Readonly<Record<string, RefusalRow>>;

export type Refusal = keyof typeof refusals;

/** The error that a check throws; its code is `smdp/` and the refusal's name. */
export function refuse(refusal: Refusal, detail?: string): RspError {
  return new RspError(`smdp/${refusal}`, detail);
}

/** The refusal that an error stands for; undefined for every other error. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof RspError) || !error.code.startsWith('smdp/')) return undefined;
  const name = error.code.slice('smdp/'.length);
  return Object.hasOwn(refusals, name) ? name as Refusal : undefined;
}

/** True when the refused session cannot go on. */
export function endsSession(refusal: Refusal): boolean {
  return 'endsSession' in refusals[refusal];
}

/** What the LPA is told. */
export function statusCodeOf(refusal: Refusal): StatusCode {
  const { subjectCode, reasonCode, message } = refusals[refusal];
  return { subjectCode, reasonCode, message };
}

/** What the LPA is told of a request that cannot be read: reason 2.1 is "invalid", 2.2 "mandatory element missing". */
export function malformedStatusCode(error: RspError): StatusCode {
  const reasonCode = error.code === 'es9plus/missing' ? '2.2' : '2.1';
  return { subjectCode: '8.8', reasonCode, message: 'The request could not be read.' };
}
