import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock/index.ts';
import type { Transactor } from '../db/types.ts';
import { ServiceError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { BlindIndex } from '../keys/types.ts';
import { claimPlace, findPlace, releasePlace, storeAnswer } from './store.ts';

/** An answer as it is stored and given again. */
export interface StoredAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string | null;
  /** The secret that went into the session cookie; null cleared it. */
  readonly session?: string | null;
}

/** One request as its Idempotency-Key sees it. */
export interface KeyedRequest {
  /** Kind and id of the caller. */
  readonly caller: string;
  readonly operationId: string;
  readonly key: string;
  /** Path with query, as sent. */
  readonly target: string;
  readonly body: Buffer;
}

export interface Idempotency {
  /** Runs `work` once for a key; a repeat gets the stored answer, a repeat under way waits for it. */
  run(request: KeyedRequest, work: () => Promise<StoredAnswer>): Promise<{ readonly answer: StoredAnswer; readonly replayed: boolean }>;
}

export interface IdempotencyDeps {
  readonly db: Transactor;
  readonly blindIndex: BlindIndex;
  readonly clock: Clock;
  /** How long a repeat waits for the run under way. Default 3000. */
  readonly waitMs?: number;
  /** After this the run under way counts as dead and a repeat runs again. Default 60 000. */
  readonly leaseMs?: number;
  /** How long answers are kept. Default a day. */
  readonly keepMs?: number;
}

const keyShape = /^[A-Za-z0-9\-._~]{16,128}$/;

/** @throws `general/idempotency-key-missing` when the header is absent or misshapen. */
export function readIdempotencyKey(header: string | string[] | undefined): string {
  if (typeof header !== 'string' || !keyShape.test(header)) throw new ServiceError('general/idempotency-key-missing');
  return header;
}

/** The id that a request's use case takes as its own (a version 8 UUID): the caller, the operation and the key make it. */
export function requestIdOf(request: Pick<KeyedRequest, 'caller' | 'operationId' | 'key'>): string {
  const bytes = createHash('sha256').update(`${request.caller}\n${request.operationId}\n${request.key}`).digest().subarray(0, 16);
  // A key that is a version 7 UUID lends its time, so that the rows named by it land at the end of their index.
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-7/i.test(request.key)) bytes.write(request.key.replace(/-/g, '').slice(0, 12), 0, 6, 'hex');
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function createIdempotency(deps: IdempotencyDeps): Idempotency {
  const waitMs = deps.waitMs ?? 3000;
  const leaseMs = deps.leaseMs ?? 60_000;
  const keepMs = deps.keepMs ?? 86_400_000;

  const claim = (place: Buffer, request: Buffer, runId: string) => deps.db.transaction((tx) => {
    const now = deps.clock.now();
    return claimPlace(tx, {
      place, request, runId, now, leaseUntil: new Date(now.getTime() + leaseMs), expiresAt: new Date(now.getTime() + keepMs),
    });
  });

  const runHeld = async (names: Names, runId: string, work: () => Promise<StoredAnswer>): Promise<StoredAnswer> => {
    try {
      const answer = await work();
      const sealed = seal(names, answer);
      await deps.db.transaction((tx) => storeAnswer(tx, names.place, runId, sealed));
      return answer;
    } catch (error) {
      // A failure is not an answer: the same key may be tried again at once. Were the release to fail too, the lease runs out.
      await deps.db.transaction((tx) => releasePlace(tx, names.place, runId)).catch(() => undefined);
      throw error;
    }
  };

  return {
    async run(request, work) {
      const names = namesOf(deps.blindIndex, request);
      const runId = newId();
      const started = performance.now();
      for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 2, 250)) {
        if (await claim(names.place, names.request, runId)) return { answer: await runHeld(names, runId, work), replayed: false };
        const held = await findPlace(deps.db, names.place);
        if (held !== undefined && !held.request.equals(names.request)) throw new ServiceError('general/idempotency-key-reused');
        if (held !== undefined && held.answer !== null) return { answer: open(names, held.answer), replayed: true };
        if (performance.now() - started > waitMs) throw new ServiceError('general/in-progress', { retryAfterSeconds: 1 });
        await sleep(pauseMs);
      }
    },
  };
}

interface Names {
  readonly place: Buffer;
  readonly request: Buffer;
  readonly sealingKey: Buffer;
}

function namesOf(blindIndex: BlindIndex, request: KeyedRequest): Names {
  const place = `${request.caller}\n${request.key}`;
  const body = createHash('sha256').update(request.body).digest('hex');
  return {
    place: blindIndex.of('http.idempotency.place', place),
    request: blindIndex.of('http.idempotency.request', `${place}\n${request.operationId}\n${request.target}\n${body}`),
    // Our index key and the caller's key together: neither the database nor the database with our keys opens an answer.
    sealingKey: blindIndex.of('http.idempotency.answer', place),
  };
}

function seal(names: Names, answer: StoredAnswer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', names.sealingKey, nonce).setAAD(names.place);
  return Buffer.concat([nonce, cipher.update(JSON.stringify(answer), 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

function open(names: Names, sealed: Buffer): StoredAnswer {
  const decipher = createDecipheriv('aes-256-gcm', names.sealingKey, sealed.subarray(0, 12), { authTagLength: 16 })
    .setAAD(names.place).setAuthTag(sealed.subarray(-16));
  return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString('utf8')) as StoredAnswer;
}
