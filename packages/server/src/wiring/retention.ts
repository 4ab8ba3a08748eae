import type { ClosureDeps } from '../closure/index.ts';

/** What is kept after a closure, as the certificate names it: storage only, and for how long. */
export const retention: ClosureDeps['retention'] = [
  { field: 'ledger.transfers', ground: 'legal-obligation', basis: 'bookkeeping law: books and vouchers of account', keepDays: 3652 },
  { field: 'orders.order', ground: 'legal-obligation', basis: 'bookkeeping law: what was sold and when, without the person', keepDays: 3652 },
  { field: 'payments.payment', ground: 'legal-obligation', basis: 'bookkeeping law and the payment scheme’s rules on disputes', keepDays: 3652 },
  { field: 'usage.records', ground: 'legal-obligation', basis: 'settlement with operators; internal line ids only', keepDays: 396 },
  { field: 'inventory.profile', ground: 'legitimate-interest', basis: 'late usage of a retired profile must find its operator', keepDays: 90 },
  { field: 'audit.entries', ground: 'legal-obligation', basis: 'accountability; ids and states only', keepDays: 3652 },
  { field: 'closure.case', ground: 'legal-obligation', basis: 'proof that the closure was carried out; no name or address', keepDays: 3652 },
  { field: 'closure.suppression', ground: 'legitimate-interest', basis: 'a keyed hash of the address, so that nothing is sent to it again', keepDays: 730 },
];
