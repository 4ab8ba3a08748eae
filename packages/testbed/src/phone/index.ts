import {
  deleteProfile, disableProfile, download, enableProfile, listProfiles, nameProfile, sendNotifications,
} from '@yuanyou/rsp/lpa';
import type { DownloadOptions, DownloadOutcome, LpaAnswer, LpaRequest, LpaRun, NotificationReport } from '@yuanyou/rsp/lpa';
import type { EuiccIssuer } from '@yuanyou/rsp/testing';
import { newDevice, openDevice } from './device.ts';
import type { Device } from './device.ts';
import { openEs9plus } from './es9plus.ts';
import type { Es9plusConnection, Es9plusOptions } from './es9plus.ts';

export { newDevice, openDevice, type Device } from './device.ts';
export { readPhonePki, type PhonePki } from './pki.ts';
export { openEs9plus, type Es9plusConnection, type Es9plusOptions } from './es9plus.ts';

/** What a virtual phone is made from. */
export interface PhoneOptions extends Es9plusOptions {
  /** 32 digits, within the range of the issuers' EUMs. */
  readonly eid: string;
  /** The EUMs that issue its eUICC, one a CI. */
  readonly issuers: readonly EuiccIssuer[];
  /** File of the eUICC's state; without one it lives in memory. */
  readonly statePath?: string;
}

/** A profile as the phone shows it. */
export interface PhoneProfile {
  readonly iccid: string;
  readonly state: 'enabled' | 'disabled';
  readonly name: string;
  readonly provider: string;
  readonly nickname?: string;
}

/**
 * A phone with a virtual eUICC and an LPA of its own, over real sockets. Every change leaves a signed notification in the eUICC, which
 * `sendNotifications` brings to the SM-DP+.
 */
export interface Phone {
  readonly eid: string;
  /** Downloads and installs; with `report` the install notification goes out over the same connection. */
  download(activationCode: string, options?: Omit<DownloadOptions, 'activationCode'> & { readonly report?: boolean }): Promise<DownloadOutcome>;
  enable(iccid: string): Promise<string>;
  disable(iccid: string): Promise<string>;
  delete(iccid: string): Promise<string>;
  name(iccid: string, nickname: string): Promise<string>;
  sendNotifications(): Promise<readonly NotificationReport[]>;
  profiles(): Promise<readonly PhoneProfile[]>;
  /** Answers one APDU, as a reader would pass it on. */
  transmit(apdu: Uint8Array): Uint8Array;
}

/** Makes a phone, or takes the one that `statePath` holds. */
export function createPhone(options: PhoneOptions): Phone {
  const device = options.statePath === undefined
    ? newDevice(options.issuers, options.eid)
    : openDevice(options.statePath, { eid: options.eid, issuers: options.issuers });
  return phoneOf(device, options);
}

/** A phone around a device. */
export function phoneOf(device: Device, options: Es9plusOptions): Phone {
  const connected = async <T>(work: (connection: Es9plusConnection) => Promise<T>): Promise<T> => {
    const connection = openEs9plus(options);
    try {
      return await work(connection);
    } finally {
      connection.close();
    }
  };
  const converse = <T>(run: LpaRun<T>): Promise<T> => connected((connection) => drive(run, device, connection));
  return {
    eid: device.eid,
    download: (activationCode, { report = false, ...rest } = {}) => connected(async (connection) => {
      const outcome = await drive(download({ ...rest, activationCode }), device, connection);
      if (report) await drive(sendNotifications(), device, connection);
      return outcome;
    }),
    enable: (iccid) => converse(enableProfile(iccid)),
    disable: (iccid) => converse(disableProfile(iccid)),
    delete: (iccid) => converse(deleteProfile(iccid)),
    name: (iccid, nickname) => converse(nameProfile(iccid, nickname)),
    sendNotifications: () => converse(sendNotifications()),
    async profiles() {
      return (await converse(listProfiles())).map((profile) => ({
        iccid: profile.iccid ?? '', state: profile.state ?? 'disabled', name: profile.profileName ?? '', provider: profile.serviceProviderName ?? '',
        ...(profile.nickname === undefined ? {} : { nickname: profile.nickname }),
      }));
    },
    transmit: (apdu) => device.transmit(apdu),
  };
}

/** Runs a conversation of the LPA; what a transport throws is thrown into it, where it may be expected. */
async function drive<T>(run: LpaRun<T>, device: Device, connection: Es9plusConnection): Promise<T> {
  let step = run.next();
  while (!step.done) {
    const { value } = step;
    const [answered] = await Promise.allSettled([answerOf(value, device, connection)]);
    step = answered.status === 'fulfilled' ? run.next(answered.value) : run.throw(answered.reason);
  }
  return step.value;
}

async function answerOf(request: LpaRequest, device: Device, connection: Es9plusConnection): Promise<LpaAnswer> {
  return request.kind === 'apdu' ? { kind: 'apdu', apdu: device.transmit(request.apdu) } : connection.send(request);
}
