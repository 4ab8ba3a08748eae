import type { ClosureDeps } from '../closure/index.ts';

const books = 3652;
const operatorSettlement = 396;
const numbers = 90;

/**
 * What is kept after a closure, as the certificate names it: storage only, why, and for how long. Everything here is without name or address;
 * what still holds numbers of a SIM or a phone says so.
 */
export const retention: ClosureDeps['retention'] = [
  { field: 'ledger.transfer', ground: 'legal-obligation', basis: 'bookkeeping law: books and vouchers of account', keepDays: books },
  { field: 'orders.order', ground: 'legal-obligation', basis: 'bookkeeping law: what was sold and when, without the person', keepDays: books },
  { field: 'payments.payment', ground: 'legal-obligation', basis: 'bookkeeping law and the payment scheme’s rules on disputes; no card digits', keepDays: books },
  { field: 'payments.refund', ground: 'legal-obligation', basis: 'bookkeeping law: what was paid back and when', keepDays: books },
  { field: 'payments.voucher', ground: 'legal-obligation', basis: 'bookkeeping law: which vouchers were spent', keepDays: books },
  { field: 'lines.line', ground: 'legal-obligation', basis: 'bookkeeping law: which service was rendered and when; no numbers', keepDays: books },
  { field: 'usage.allowance', ground: 'legal-obligation', basis: 'bookkeeping law: what was earned and returned of a plan', keepDays: books },
  { field: 'usage.record', ground: 'legal-obligation', basis: 'settlement with operators; internal line ids only', keepDays: operatorSettlement },
  { field: 'usage.batch', ground: 'legal-obligation', basis: 'settlement with operators: sealed files as they arrived, with SIM numbers', keepDays: numbers },
  { field: 'inventory.profile', ground: 'legitimate-interest', basis: 'late usage of a retired profile must find its operator: SIM numbers', keepDays: numbers },
  { field: 'smdp.download_order', ground: 'legitimate-interest', basis: 'a phone’s late notification must be verified: SIM and phone numbers', keepDays: numbers },
  { field: 'jobs.delivery', ground: 'legitimate-interest', basis: 'events that could not be delivered are looked into by an agent: internal ids', keepDays: numbers },
  { field: 'notifications.message', ground: 'legitimate-interest', basis: 'whether a message was ours can be checked by its code; no address, no text', keepDays: operatorSettlement },
  { field: 'notifications.left_address', ground: 'legitimate-interest', basis: 'a keyed hash of the address, so that nothing is sent to it again', keepDays: 730 },
  { field: 'closure.export', ground: 'contract', basis: 'the export by its link, sealed under the key in the link', keepDays: 30 },
  { field: 'closure.case', ground: 'legal-obligation', basis: 'proof that the closure was carried out, with this certificate', keepDays: books },
  { field: 'accounts.account', ground: 'legal-obligation', basis: 'the internal id and the day of closing, so that an old backup is erased again', keepDays: books },
  { field: 'audit.entry', ground: 'legal-obligation', basis: 'accountability: who did what and when, by internal ids', keepDays: books },
];
