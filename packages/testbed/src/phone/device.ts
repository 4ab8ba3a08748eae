import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { createPkiCache, fromHex, toHex } from '@yuanyou/rsp';
import type { CurveName } from '@yuanyou/rsp';
import { loadEuicc, saveEuicc, transmit } from '@yuanyou/rsp/euicc';
import type { EuiccState } from '@yuanyou/rsp/euicc';
import { createTestEuicc, euiccSignerOf } from '@yuanyou/rsp/testing';
import type { EuiccIssuer, TestEuicc, TestEuiccKey } from '@yuanyou/rsp/testing';

/** A virtual eUICC that lives in memory, and in a file where it has one. */
export interface Device {
  readonly eid: string;
  state(): EuiccState;
  transmit(apdu: Uint8Array): Uint8Array;
}

/** What a device file holds: the eUICC's state and its private keys. */
interface DeviceFile {
  readonly version: 1;
  readonly keys: readonly { readonly ciKeyId: string; readonly curve: CurveName; readonly privateKey: string }[];
  readonly euicc: string;
}

/**
 * The device of a file; made and written there at first, when `make` is given.
 * @throws when there is no such file and nothing to make it from, or when it belongs to another eUICC
 */
export function openDevice(path: string, make?: { readonly eid: string; readonly issuers: readonly EuiccIssuer[] }): Device {
  if (!existsSync(path)) {
    if (!make) throw new Error(`no eUICC in ${path}`);
    const made = makeEuicc(make.issuers, make.eid);
    write(path, made);
    return run(made, path);
  }
  const found = read(path);
  if (make && found.state.eid !== make.eid) throw new Error(`${path} holds another eUICC`);
  return run(found, path);
}

/** A device in memory alone. */
export function newDevice(issuers: readonly EuiccIssuer[], eid: string): Device {
  return run(makeEuicc(issuers, eid), undefined);
}

function makeEuicc(issuers: readonly EuiccIssuer[], eid: string): TestEuicc {
  return createTestEuicc(issuers, eid, (bytes) => randomBytes(bytes));
}

function run(euicc: TestEuicc, path: string | undefined): Device {
  let { state } = euicc;
  const sign = euiccSignerOf(euicc.keys);
  const cache = createPkiCache(64);
  return {
    eid: state.eid,
    state: () => state,
    transmit(apdu) {
      const sent = transmit(state, apdu, { now: new Date(), random: (bytes) => randomBytes(bytes), sign, cache });
      // Written before the answer goes out: what the eUICC has said of itself must survive.
      if (path !== undefined && sent.state !== state) write(path, { state: sent.state, keys: euicc.keys });
      state = sent.state;
      return sent.answer;
    },
  };
}

function read(path: string): TestEuicc {
  const file = JSON.parse(readFileSync(path, 'utf8')) as DeviceFile;
  const keys: TestEuiccKey[] = file.keys.map(({ ciKeyId, curve, privateKey }) => ({ ciKeyId, curve, privateKey: fromHex(privateKey) }));
  return { state: loadEuicc(file.euicc), keys };
}

function write(path: string, { state, keys }: TestEuicc): void {
  const file: DeviceFile = { version: 1, keys: keys.map((key) => ({ ...key, privateKey: toHex(key.privateKey) })), euicc: saveEuicc(state) };
  const draft = `${path}.draft`;
  const handle = openSync(draft, 'w', 0o600);
  try {
    writeSync(handle, `${JSON.stringify(file)}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(draft, path);
}
