export * from './gateway/index.ts';
export * from './operator/index.ts';
export * from './inbox/index.ts';
export type { Fault, FaultKind, Faults } from './simulator/faults.ts';
