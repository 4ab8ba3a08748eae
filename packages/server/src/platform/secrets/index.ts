import { createHash, randomBytes, randomInt } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { ServiceError } from '../errors.ts';

/** A secret of 256 random bits, recognisable by its prefix. Only its hash is ever stored. */
export function newSecret(prefix: string): string {
  return `${prefix}${randomBytes(32).toString('base64url')}`;
}

/** What is stored of a secret of 256 bits: guessing it is hopeless, so a plain SHA-256 will do. */
export function secretHash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Six digits for a message; short, so whoever checks them limits the attempts. */
export function newCode(): string {
  return String(randomInt(1_000_000)).padStart(6, '0');
}

/** Password hashing, argon2id, a few at a time so that sign-ins cannot take the whole machine. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** Takes as long for an unknown hash as for a known one, and answers false. */
  verify(hash: string | null | undefined, password: string): Promise<boolean>;
}

export interface PasswordCost {
  /** Default 19 456 KiB, with 2 passes: the least that OWASP's password storage guide names for argon2id. */
  readonly memoryKib?: number;
  readonly passes?: number;
  /** Hashes computed at the same time. Default 2. */
  readonly atOnce?: number;
}

const longestQueue = 100;

export function createPasswords(cost: PasswordCost = {}): Passwords {
  const options = { memoryCost: cost.memoryKib ?? 19_456, timeCost: cost.passes ?? 2, parallelism: 1 };
  const gate = createGate(cost.atOnce ?? 2);
  // The same characters typed on another system must give the same password (the OpaqueString profile of RFC 8265 asks for NFC).
  const plain = (password: string) => password.normalize('NFC');
  const nobodys = hash(randomBytes(16).toString('hex'), options);
  nobodys.catch(() => undefined);
  return {
    hash: (password) => gate(() => hash(plain(password), options)),
    verify: (known, password) => gate(async () => {
      const same = await verify(known ?? await nobodys, plain(password), options);
      return same && known !== null && known !== undefined;
    }),
  };
}

/** Lets `atOnce` pieces of work run together; a queue that grows too long is refused. */
function createGate(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= atOnce) {
      if (waiting.length >= longestQueue) throw new ServiceError('general/unavailable', { retryAfterSeconds: 2 });
      await new Promise<void>((resolve) => { waiting.push(resolve); });
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // Whoever waits takes over this place, so `running` stands.
      if (next === undefined) running--;
      else next();
    }
  };
}
