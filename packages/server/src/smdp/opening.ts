import { randomBytes } from 'node:crypto';
import { chooseIssuers, fromHex, type ClientAnswer, type SmdpSession } from '@yuanyou/rsp';
import type { Workings } from './deps.ts';

/**
 * The first request of a session stores nothing: whoever floods it costs us a signature and no row. Its transactionId carries the time and a
 * seal of ours, and the server challenge follows from both under a key that all our processes share.
 */

/** Seconds since 1970 in 4 bytes, 6 random bytes, 6 bytes of seal. */
const SEALED_FROM = 10;

/** What a new session begins with. */
export interface Opening {
  readonly transactionId: Uint8Array;
  readonly serverChallenge: Uint8Array;
  readonly expiresAt: Date;
}

/** Begins a session with whoever calls us by `address`. */
export function openSession(w: Workings, address: string): Opening {
  const seconds = Math.floor(w.clock.now().getTime() / 1000);
  const transactionId = randomBytes(16);
  transactionId.writeUInt32BE(seconds, 0);
  transactionId.set(sealOf(w, transactionId), SEALED_FROM);
  return { transactionId, serverChallenge: challengeOf(w, transactionId, address), expiresAt: endOf(w, seconds) };
}

/** When the session of this transactionId ends; undefined when it is none of ours. */
export function openingEnd(w: Workings, transactionId: string): Date | undefined {
  if (transactionId.length !== 32) return undefined;
  const bytes = Buffer.from(fromHex(transactionId));
  return bytes.subarray(SEALED_FROM).equals(sealOf(w, bytes)) ? endOf(w, bytes.readUInt32BE(0)) : undefined;
}

/**
 * The session as it was begun, for an eUICC's first answer; undefined when it was not begun here. What we chose by EUICCInfo1 follows again from
 * EUICCInfo2, which lists the same.
 * @throws RspError `smdp/ciNotSupported`, `smdp/noServerCertificate`
 */
export function reopenSession(w: Workings, { transactionId, response }: ClientAnswer): SmdpSession | undefined {
  const expiresAt = openingEnd(w, transactionId);
  if (!expiresAt) return undefined;
  if (response.kind === 'error') return { transactionId, state: 'initiated', opening: nothing, chainCiKeyId: nothing.euiccCiKeyId, expiresAt };
  const { euiccInfo2, serverAddress } = response.value.euiccSigned1;
  const { euiccCiKeyId, chain } = chooseIssuers(euiccInfo2, w.smdp, w.pki.anchors);
  const serverChallenge = challengeOf(w, fromHex(transactionId), serverAddress);
  return { transactionId, state: 'initiated', opening: { serverAddress, serverChallenge, euiccCiKeyId }, chainCiKeyId: chain.ciKeyId, expiresAt };
}

/** An error of the eUICC answers to nothing. */
const nothing = { serverAddress: '', serverChallenge: new Uint8Array(), euiccCiKeyId: new Uint8Array() };

function sealOf(w: Workings, transactionId: Uint8Array): Buffer {
  return w.keys.blindIndex.of('smdp.transaction', hexOf(transactionId.subarray(0, SEALED_FROM))).subarray(0, 6);
}

/** 16 bytes that nobody can foresee, bound to the session and to the name we were called by. */
function challengeOf(w: Workings, transactionId: Uint8Array, address: string): Uint8Array {
  return w.keys.blindIndex.of('smdp.challenge', `${hexOf(transactionId)} ${address.toLowerCase()}`).subarray(0, 16);
}

function endOf(w: Workings, seconds: number): Date {
  return new Date(seconds * 1000 + w.policy.sessionMs);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
