import type { JobsLog } from '../types.ts';

/** Swallows what is logged. */
export const silentLog: JobsLog = { debug() {}, info() {}, warn() {}, error() {} };
