import {
  encode, NotificationMetadata, ProfileInstallationResultData, signatureTlv,
} from '../asn1/index.ts';
import type { Input, NotificationEventName } from '../asn1/index.ts';
import { removeNotificationResults } from '../es10/index.ts';
import { encodeTlv } from '../tlv/index.ts';
import { reply } from './reply.ts';
import type { Perform } from './reply.ts';
import { ciKeyIdOf, metadataOf } from './state.ts';
import type { EuiccContext, EuiccState, InstalledProfile, StoredNotification } from './state.ts';

export const listNotifications: Perform<'listNotifications'> = (state, { operations }) => ({
  state,
  answer: encodeTlv(0xbf28, encodeTlv(0xa0, ...chosen(state, operations).map(({ metadata }) => metadata))),
});

export const retrieveNotifications: Perform<'retrieveNotifications'> = (state, { search }) => {
  const found = search?.kind === 'sequenceNumber'
    ? state.notifications.filter(({ sequenceNumber }) => sequenceNumber === search.value)
    : chosen(state, search?.value);
  return { state, answer: encodeTlv(0xbf2b, encodeTlv(0xa0, ...found.map(({ object }) => object))) };
};

export const removeNotification: Perform<'removeNotification'> = (state, call) => {
  const notifications = state.notifications.filter(({ sequenceNumber }) => sequenceNumber !== call.sequenceNumber);
  const found = notifications.length < state.notifications.length;
  const result = found ? removeNotificationResults.ok : removeNotificationResults.nothingToDelete;
  return reply({ ...state, notifications }, 'removeNotification', { result });
};

/** Signs one notification for each address that the profile's metadata names for this operation, but `except`. */
export function notify(
  state: EuiccState, profile: InstalledProfile, operation: NotificationEventName, context: EuiccContext, except?: string,
): EuiccState {
  const configured = metadataOf(profile).notificationConfiguration ?? [];
  const addresses = configured.filter((one) => one.operations.includes(operation) && one.address !== except).map(({ address }) => address);
  return addresses.reduce((next, address) => notifyAddress(next, profile.iccid, operation, address, context), state);
}

/** Signs one notification (OtherSignedNotification) for one address. */
export function notifyAddress(
  state: EuiccState, iccid: string, operation: NotificationEventName, address: string, context: EuiccContext,
): EuiccState {
  const metadata = notificationMetadata(state, iccid, operation, address);
  const [credential] = state.credentials;
  const signature = context.sign(ciKeyIdOf(credential!.ciCertificate), metadata);
  const object = encodeTlv(0x30, metadata, signatureTlv(signature), credential!.euiccCertificate, credential!.eumCertificate);
  return keep(state, { operation, address, metadata, object });
}

/** What an installation ended with. */
export interface InstallationOutcome {
  readonly transactionId: Uint8Array;
  /** Absent when the package did not come as far as its metadata. */
  readonly iccid?: string;
  readonly address: string;
  readonly smdpOid: string;
  readonly finalResult: Input<typeof ProfileInstallationResultData>['finalResult'];
}

/** Signs the ProfileInstallationResult (`BF37`) under the session's CI; it waits among the notifications too. */
export function concludeInstallation(
  state: EuiccState, ciKeyId: string, outcome: InstallationOutcome, context: EuiccContext,
): { readonly state: EuiccState; readonly result: Uint8Array } {
  const { transactionId, iccid, address, smdpOid, finalResult } = outcome;
  const notification = { sequenceNumber: state.nextSequenceNumber, operations: ['install' as const], address, iccid };
  const resultData = encode(ProfileInstallationResultData, { transactionId, notificationMetadata: notification, smdpOid, finalResult });
  const result = encodeTlv(0xbf37, resultData, signatureTlv(context.sign(ciKeyId, resultData)));
  const metadata = encode(NotificationMetadata, notification);
  return { state: keep(state, { operation: 'install', address, metadata, object: result }), result };
}

function notificationMetadata(state: EuiccState, iccid: string, operation: NotificationEventName, address: string): Uint8Array {
  return encode(NotificationMetadata, { sequenceNumber: state.nextSequenceNumber, operations: [operation], address, iccid });
}

function keep(state: EuiccState, notification: Omit<StoredNotification, 'sequenceNumber'>): EuiccState {
  const sequenceNumber = state.nextSequenceNumber;
  return { ...state, nextSequenceNumber: sequenceNumber + 1, notifications: [...state.notifications, { sequenceNumber, ...notification }] };
}

function chosen(state: EuiccState, operations: readonly NotificationEventName[] | undefined): readonly StoredNotification[] {
  return operations === undefined ? state.notifications : state.notifications.filter(({ operation }) => operations.includes(operation));
}
