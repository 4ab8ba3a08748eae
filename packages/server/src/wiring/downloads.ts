import type { Config } from '../config.ts';
import type { Inventory } from '../inventory/index.ts';
import type { Downloads, ProfileReport } from '../lines/index.ts';
import type { Partners } from '../partners/index.ts';
import type { Audit } from '../platform/audit/index.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor, Tx } from '../platform/db/index.ts';
import type { Outbox, Schedule } from '../platform/jobs/index.ts';
import type { Keys } from '../platform/keys/index.ts';
import type { Logger } from '../platform/log/index.ts';
import { createSmdp, developmentPki, loadPki, profileReported } from '../smdp/index.ts';
import type { Card, Es9plusListener, ProfileSource, SmdpPki } from '../smdp/index.ts';

interface DownloadsDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly keys: Keys;
  readonly dataKeys: Keys['dataKeys'];
  readonly outbox: Outbox;
  readonly schedule: Schedule;
  readonly audit: Audit;
  readonly log: Logger;
}

/** The SM-DP+ as lines and orders need it, with its listener. */
export interface WiredDownloads extends Downloads {
  order(tx: Tx, wanted: { readonly profileId: string; readonly iccid: string; readonly operatorId: string }): Promise<unknown>;
  /** Subscribes to what phones report of profiles. */
  onReport(take: (report: ProfileReport) => Promise<void>): void;
  /** Opens ES9+ and answers its address. */
  listen(): Promise<string>;
  close(): Promise<void>;
}

function pkiOf(config: Config, deps: DownloadsDeps): Promise<SmdpPki> {
  const { folder, kind } = config.es9.pki;
  if (kind === 'given') return loadPki(folder, deps.keys, deps.clock.now());
  const host = config.es9.address.replace(/:\d+$/, '');
  return developmentPki({ folder, signers: deps.keys, hosts: [...new Set([host, 'localhost', '127.0.0.1'])], at: deps.clock.now() });
}

/** Profiles as the stock makes them: opened when one is bound, held only while the request is answered. */
function profilesOf(inventory: Inventory): ProfileSource {
  return {
    async load(profileId) {
      const { iccid, imsi, secrets: { ki, opc, pin1, puk1, adm1 } } = await inventory.opened(profileId);
      return { iccid, imsi, pin1, puk1, ki: Buffer.from(ki, 'hex'), opc: Buffer.from(opc, 'hex'), adm1: Buffer.from(adm1, 'hex') };
    },
  };
}

/** What the phone shows: the operator's name, cut to what EF.SPN holds, and whose network it is. */
function cardOf(operator: { readonly name: string; readonly plmns: readonly string[] } | undefined, providerName: string): Card {
  const plmn = operator?.plmns[0] ?? '00101';
  const shown = (operator?.name ?? providerName).replace(/[^\x20-\x7e]/g, '').slice(0, 16).trim();
  return { serviceProviderName: shown, profileName: providerName.slice(0, 64), owner: { mcc: plmn.slice(0, 3), mnc: plmn.slice(3) } };
}

/** Wires the SM-DP+ over the stock. */
export async function createDownloads(config: Config, deps: DownloadsDeps, inventory: Inventory, partners: Partners): Promise<WiredDownloads> {
  const smdp = createSmdp({ ...deps, profiles: profilesOf(inventory), pki: await pkiOf(config, deps), addresses: [config.es9.address] });
  let listener: Es9plusListener | undefined;
  return {
    async order(tx, { profileId, iccid, operatorId }) {
      return smdp.order(tx, { profileId, iccid, card: cardOf(await partners.find(tx, operatorId), config.providerName) });
    },
    async release(tx, profileId) {
      await inventory.mark(tx, profileId, 'released');
      await smdp.release(tx, profileId);
    },
    cancel: (tx, profileId) => smdp.cancel(tx, profileId),
    activation: (db, profileId) => smdp.activation(db, profileId),
    onReport: (take) => { deps.outbox.subscribe(profileReported, 'lines.report', ({ body }) => take(body)); },
    async listen() {
      listener = await smdp.listen({ host: config.es9.host, port: config.es9.port });
      return `https://${config.es9.address}`;
    },
    close: async () => { await listener?.close(); },
  };
}
