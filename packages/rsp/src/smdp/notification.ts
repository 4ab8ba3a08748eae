import { decode, PendingNotification, type NotificationEventName, type NotificationMetadata, type Output } from '../asn1/index.ts';
import { toHex } from '../bytes.ts';
import type { Es9plusRequest } from '../es9plus/index.ts';
import { eidOf, type ChainTrust } from '../pki/index.ts';
import { isSignature, readCertificate, verifiedCi } from './authenticate.ts';
import { refuse } from './refusals.ts';
import type { OrderState, SessionClient } from './types.ts';

/** What an eUICC reports of a profile. */
export type ProfileEvent =
  | { readonly kind: 'installed' }
  /** `command` is one of `bppCommands`, `reason` one of `installErrors`. */
  | { readonly kind: 'install-failed'; readonly command: number; readonly reason: number }
  | { readonly kind: 'enabled' | 'disabled' | 'deleted' };

/** A notification, read but not yet verified. */
export interface NotificationReading {
  readonly message: Output<typeof PendingNotification>;
  readonly sequenceNumber: number;
  readonly iccid?: string;
  /** Of an installation: the session to look up. */
  readonly transactionId?: string;
  readonly event: ProfileEvent;
}

/**
 * Reads the request of ES9+.HandleNotification.
 * @throws RspError `asn1/*`, `tlv/*`
 */
export function readNotification(request: Es9plusRequest<'handleNotification'>): NotificationReading {
  const message = decode(PendingNotification, request.pendingNotification, { maxBytes: 16_384 });
  if (message.kind === 'other') {
    const metadata = message.value.tbsOtherNotification;
    return { message, ...keysOf(metadata), event: { kind: otherEvents[onlyOperation(metadata)] } };
  }
  const { transactionId, notificationMetadata, finalResult } = message.value.resultData;
  return {
    message,
    ...keysOf(notificationMetadata),
    transactionId: toHex(transactionId),
    event: finalResult.kind === 'success'
      ? { kind: 'installed' }
      : { kind: 'install-failed', command: finalResult.value.command, reason: finalResult.value.reason },
  };
}

/**
 * Verifies who sent a notification.
 * @param client the eUICC of the installation's session, which signs without certificates
 * @returns the EID
 * @throws RspError `smdp/signatureInvalid`, and the certificate refusals
 */
export function verifyNotification(
  { message }: NotificationReading, { client, trust }: { readonly client: Pick<SessionClient, 'eid' | 'curve' | 'point'> | undefined; readonly trust: ChainTrust },
): string {
  if (message.kind === 'installation') {
    const { resultData, euiccSign } = message.value;
    if (!client || !isSignature(client, resultData.raw, euiccSign, trust.cache)) throw refuse('signatureInvalid');
    return client.eid;
  }
  const { tbsOtherNotification, euiccSign, euiccCertificate, eumCertificate } = message.value;
  const euicc = readCertificate(euiccCertificate, 'euiccCertificateInvalid');
  verifiedCi(readCertificate(eumCertificate, 'eumCertificateInvalid', trust.cache), euicc, trust);
  if (!isSignature(euicc.publicKey, tbsOtherNotification.raw, euiccSign, trust.cache)) throw refuse('signatureInvalid');
  return eidOf(euicc);
}

/** What may follow a verified delete. */
export interface ReinstallPolicy {
  /** Which eUICC may fetch the profile again. */
  readonly reinstall: 'same-euicc' | 'any-euicc' | 'never';
}

/**
 * Where an event leads an order. An order that was withdrawn stays so; its events are still recorded.
 * @returns undefined when nothing changes
 */
export function orderAfter(
  order: { readonly state: OrderState; readonly downloads: number; readonly maxDownloads: number; readonly policy: ReinstallPolicy }, event: ProfileEvent,
): { readonly state: OrderState; readonly releaseEid?: true } | undefined {
  if (order.state === 'unavailable') return undefined;
  const again = order.downloads < order.maxDownloads;
  const isInstalled = order.state === 'installed' || order.state === 'enabled' || order.state === 'disabled';
  switch (event.kind) {
    case 'installed': return isInstalled ? undefined : { state: 'installed' };
    // A second installation of what is there already fails, and leaves it there.
    case 'install-failed': return isInstalled ? undefined : { state: again ? 'released' : 'error' };
    case 'enabled':
    case 'disabled': return { state: event.kind };
    case 'deleted': {
      if (!again || order.policy.reinstall === 'never') return { state: 'deleted' };
      return order.policy.reinstall === 'any-euicc' ? { state: 'released', releaseEid: true } : { state: 'released' };
    }
    default: return event satisfies never;
  }
}

const otherEvents: Readonly<Record<NotificationEventName, 'installed' | 'enabled' | 'disabled' | 'deleted'>> = {
  install: 'installed', enable: 'enabled', disable: 'disabled', delete: 'deleted',
};

function onlyOperation(metadata: NotificationMetadata): NotificationEventName {
  const [operation, ...more] = metadata.operations;
  if (operation === undefined || more.length) throw refuse('signatureInvalid', 'not exactly one operation');
  return operation;
}

function keysOf(metadata: NotificationMetadata): Pick<NotificationReading, 'sequenceNumber' | 'iccid'> {
  return { sequenceNumber: metadata.sequenceNumber, ...(metadata.iccid !== undefined && { iccid: metadata.iccid }) };
}
