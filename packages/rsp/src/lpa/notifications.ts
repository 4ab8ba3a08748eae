import type { NotificationEventName, NotificationMetadata } from '../asn1/index.ts';
import { RspError } from '../errors.ts';
import { readTlv } from '../tlv/index.ts';
import { callEuicc, callSmdp } from './run.ts';
import type { CardOptions, LpaRun } from './run.ts';

/** A notification that was sent, or kept for another time. */
export interface NotificationReport {
  readonly sequenceNumber: number;
  readonly operation: NotificationEventName;
  /** The SM-DP+ it belongs to. */
  readonly address: string;
  readonly iccid?: string;
  readonly sent: boolean;
  /** Why it was kept. */
  readonly reason?: string;
}

/**
 * Brings every waiting notification to its SM-DP+, oldest first, and takes those off the eUICC's list that were accepted. One that cannot be
 * sent stays and holds up none of the others.
 * @throws RspError `lpa/card`
 */
export function* sendNotifications(options: CardOptions = {}): LpaRun<readonly NotificationReport[]> {
  const reports: NotificationReport[] = [];
  for (const metadata of yield* listNotifications(options)) {
    const reason = yield* sendNotification(metadata, options);
    reports.push({
      sequenceNumber: metadata.sequenceNumber,
      operation: metadata.operations[0] ?? 'install',
      address: metadata.address,
      ...(metadata.iccid === undefined ? {} : { iccid: metadata.iccid }),
      sent: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
    });
  }
  return reports;
}

/** The notifications that wait in the eUICC, oldest first. */
export function* listNotifications(options: CardOptions = {}): LpaRun<readonly NotificationMetadata[]> {
  const { value } = yield* callEuicc('listNotifications', {}, options);
  if (value.kind === 'error') throw new RspError('lpa/card', `listNotifications: ${value.value}`);
  return value.value.toSorted((a, b) => a.sequenceNumber - b.sequenceNumber);
}

/** Sends one notification and takes it off the list; the reason why not, otherwise. */
function* sendNotification({ sequenceNumber, address }: NotificationMetadata, options: CardOptions): LpaRun<string | undefined> {
  const { raw } = yield* callEuicc('retrieveNotifications', { search: { kind: 'sequenceNumber', value: sequenceNumber } }, options);
  const pendingNotification = readTlv(raw).children()[0]?.children()[0]?.raw;
  if (!pendingNotification) return 'no longer there';
  try {
    const answer = yield* callSmdp('handleNotification', address, { pendingNotification });
    if (!answer.ok) return `${answer.failure.subjectCode}/${answer.failure.reasonCode}`;
  } catch (error) {
    // Unreachable or unreadable: the next call tries again.
    return error instanceof Error ? error.message : String(error);
  }
  yield* callEuicc('removeNotification', { sequenceNumber }, options);
  return undefined;
}
