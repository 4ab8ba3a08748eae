import { randomBytes } from 'node:crypto';

/** Thirty-two characters without look-alikes: no I, L, O, U. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A code of fifty random bits for mail and paper. */
export function newLongCode(): string {
  const characters = [...randomBytes(10)].map((byte) => alphabet[byte & 31]!).join('');
  return `${characters.slice(0, 5)}-${characters.slice(5)}`;
}
