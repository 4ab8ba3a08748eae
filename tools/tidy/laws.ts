import { codeFaults } from './codes.ts';
import { holderFaults, personalFaults } from './personal.ts';
import { purityFaults } from './purity.ts';
import { rankFaults } from './ranks.ts';
import { sizeFaults } from './size.ts';
import { migrationFaults, sqlFaults } from './sql.ts';
import { tableFaults } from './tables.ts';
import type { Fault, TreeFile } from './tree.ts';
import { wordingFaults } from './wording.ts';

/** The laws of the house, by name; each takes the files of a tree. */
export const laws: Readonly<Record<string, (files: readonly TreeFile[], codes: ReadonlySet<string>) => Fault[]>> = {
  'ranks: imports go down and through doors': rankFaults,
  'sql: only in stores, only the own schema': sqlFaults,
  'migrations: each in its own schema': migrationFaults,
  'purity: no clock, chance, environment, network or waiting': purityFaults,
  'size: files of 400 lines, functions of 70': sizeFaults,
  'wording: names that say something, no open ends, no machine': wordingFaults,
  'personal: every personal column has class, ground and end': personalFaults,
  'holders: who stores something of an account answers at closure': holderFaults,
  'tables: what holds something of an account is erased, or says why it stays': tableFaults,
  'codes: every code thrown is in the contract': codeFaults,
};
