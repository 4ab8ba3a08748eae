import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where a running instance can be reached. */
export interface Addresses {
  readonly dataFolder: string;
  readonly publicUrl: string;
  readonly es9Address: string;
  readonly gatewayUrl: string;
  readonly operatorUrl: string;
  readonly inboxUrl: string;
}

const fileOf = (dataFolder: string): string => join(dataFolder, 'testbed', 'addresses.json');

/** Notes the addresses for programs that are told of the data folder alone, such as the demo. */
export function noteAddresses(addresses: Addresses): void {
  const file = fileOf(addresses.dataFolder);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(addresses), { mode: 0o600 });
}

export function forgetAddresses(dataFolder: string): void {
  rmSync(fileOf(dataFolder), { force: true });
}

/** The addresses of the instance that runs on this folder. @throws Error when none does */
export function readAddresses(dataFolder: string): Addresses {
  try {
    return JSON.parse(readFileSync(fileOf(dataFolder), 'utf8')) as Addresses;
  } catch (cause) {
    throw new Error(`no service runs on ${dataFolder}: start one with npm start`, { cause });
  }
}
