import { ed25519 } from '@noble/curves/ed25519.js';
import { base64, concat, equalBytes, fromBase64, fromUtf8, hex, sha256, utf8 } from './bytes.ts';
import { ProofError } from './error.ts';

/** Bounds of a signed note: bytes in all, and signature lines. */
export const NOTE_LIMITS = { bytes: 65_536, signatures: 64 } as const;

/** Signature types of C2SP signed-note that are known here: a plain Ed25519 signature, and a witness's timestamped cosignature. */
export type SignatureType = 'ed25519' | 'cosignature/v1';

/** One row per signature type: its identifier byte and the length of what follows the key id in a signature line. */
const TYPES: Readonly<Record<SignatureType, { readonly byte: number; readonly signatureBytes: number }>> = {
  ed25519: { byte: 0x01, signatureBytes: 64 },
  'cosignature/v1': { byte: 0x04, signatureBytes: 72 },
};

/** A key that verifies notes: what a vkey string holds. */
export interface VerifierKey {
  /** Key name; for a log it is the origin. */
  readonly name: string;
  readonly type: SignatureType;
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** First four bytes of SHA-256(name || 0x0A || type byte || public key), in hexadecimal. */
  readonly keyId: string;
}

/** One signature line of a note, not yet verified. */
export interface NoteSignature {
  readonly name: string;
  /** Four bytes in hexadecimal. */
  readonly keyId: string;
  /** What follows the key id. */
  readonly signature: Uint8Array;
}

/** A note taken apart; nothing in it is verified. */
export interface Note {
  /** The signed text, with its final newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A key whose signature under a note is good. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  /** Of a cosignature: when it was made, in seconds since 1970. */
  readonly timestamp?: number;
}

/** What verifying a note found. A note with a bad signature by a known key is never answered, but refused. */
export interface VerifiedNote {
  readonly text: string;
  readonly verified: readonly VerifiedSignature[];
  /** Signature lines of keys that were not given. */
  readonly unknown: readonly NoteSignature[];
}

/**
 * Makes a verifier key from its parts and computes its key id.
 *
 * @throws ProofError `proof/verifier-key` for a name with spaces, `+` or control characters, or a key that has not 32 bytes.
 */
export function verifierKey(name: string, type: SignatureType, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name)) throw new ProofError('proof/verifier-key', 'not a key name');
  if (publicKey.length !== 32) throw new ProofError('proof/verifier-key', 'an Ed25519 public key has 32 bytes');
  const keyId = hex(sha256(utf8(`${name}\n`), Uint8Array.of(TYPES[type].byte), publicKey).subarray(0, 4));
  return { name, type, publicKey, keyId };
}

/**
 * Reads a vkey: `<name>+<key id>+<base64(type byte || public key)>` (C2SP signed-note).
 *
 * @throws ProofError `proof/verifier-key` for anything else, also when the key id does not fit the key.
 */
export function parseVerifierKey(vkey: string): VerifierKey {
  const match = vkey.length > 512 ? null : /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(vkey);
  if (match === null) throw new ProofError('proof/verifier-key', 'not a verifier key');
  const encoded = fromBase64(match[3]!, 'the verifier key', 33);
  const type = typeOfByte(encoded[0]!);
  if (type === undefined) throw new ProofError('proof/verifier-key', 'a verifier key of an unknown type');
  const key = verifierKey(match[1]!, type, encoded.slice(1));
  if (key.keyId !== match[2]) throw new ProofError('proof/verifier-key', 'the key id does not fit the verifier key');
  return key;
}

/** Writes a vkey as {@link parseVerifierKey} reads it. */
export function formatVerifierKey(key: VerifierKey): string {
  return `${key.name}+${key.keyId}+${base64(concat(Uint8Array.of(TYPES[key.type].byte), key.publicKey))}`;
}

/** Fingerprint of a verifier key, to compare by eye: SHA-256 of the whole vkey string, in hexadecimal. */
export function verifierKeyFingerprint(key: VerifierKey): string {
  return hex(sha256(utf8(formatVerifierKey(key))));
}

/**
 * Takes a signed note apart (C2SP signed-note), strictly: UTF-8, no control characters but newlines, canonical base64, no signer twice.
 *
 * @throws ProofError `proof/note`, `proof/encoding` or `proof/too-large`.
 */
export function parseNote(note: string | Uint8Array): Note {
  if (note.length > NOTE_LIMITS.bytes) throw new ProofError('proof/too-large', 'the note is too large');
  const whole = typeof note === 'string' ? note : fromUtf8(note, 'the note');
  const at = whole.lastIndexOf('\n\n');
  const isText = whole.isWellFormed() && !hasControls(whole);
  if (at < 1 || !whole.endsWith('\n') || !isText) throw new ProofError('proof/note', 'not a signed note');
  const lines = whole.slice(at + 2).split('\n').slice(0, -1);
  if (lines.length === 0) throw new ProofError('proof/note', 'the note has no signature');
  if (lines.length > NOTE_LIMITS.signatures) throw new ProofError('proof/too-large', 'the note has too many signatures');
  const signatures = lines.map(parseSignatureLine);
  if (new Set(signatures.map(signerOf)).size !== signatures.length) throw new ProofError('proof/note', 'a key signed the note twice');
  return { text: whole.slice(0, at + 1), signatures };
}

function parseSignatureLine(line: string): NoteSignature {
  const match = /^— (\S+) ([A-Za-z0-9+/]+=*)$/u.exec(line);
  if (match === null || !isKeyName(match[1]!)) throw new ProofError('proof/note', 'not a signature line');
  const bytes = fromBase64(match[2]!, 'a note signature');
  if (bytes.length < 5) throw new ProofError('proof/note', 'a note signature is too short');
  return { name: match[1]!, keyId: hex(bytes.subarray(0, 4)), signature: bytes.slice(4) };
}

/**
 * Puts signatures under a text: the note as it is published.
 *
 * @param text - with its final newline.
 * @param signatures - by {@link noteSignature}, or taken from another note of the same text.
 * @throws ProofError `proof/note` when the result would not be a note.
 */
export function formatNote(text: string, signatures: readonly NoteSignature[]): string {
  const lines = signatures.map(({ name, keyId, signature }) => `— ${name} ${base64(concat(keyIdBytes(keyId), signature))}\n`);
  const note = `${text}\n${lines.join('')}`;
  if (parseNote(note).text !== text) throw new ProofError('proof/note', 'not the text of a note');
  return note;
}

/**
 * The signature line of a key, from the raw signature over {@link noteMessage}.
 *
 * @param signature - Ed25519, 64 bytes.
 * @param timestamp - of a cosignature: the seconds since 1970 that were signed.
 */
export function noteSignature(key: VerifierKey, signature: Uint8Array, timestamp?: number): NoteSignature {
  if (signature.length !== 64) throw new ProofError('proof/note', 'an Ed25519 signature has 64 bytes');
  const body = key.type === 'cosignature/v1' ? concat(uint64(requireTimestamp(timestamp)), signature) : signature;
  return { name: key.name, keyId: key.keyId, signature: body };
}

/**
 * What a key of this type signs: the text itself, or for a cosignature the text after two header lines (C2SP tlog-cosignature).
 */
export function noteMessage(type: SignatureType, text: string, timestamp?: number): Uint8Array {
  return utf8(type === 'cosignature/v1' ? `cosignature/v1\ntime ${requireTimestamp(timestamp)}\n${text}` : text);
}

/**
 * Verifies the signatures of all given keys under a note. Lines of other keys are reported, not trusted.
 *
 * @throws ProofError `proof/signature` when the line of a given key does not verify; what {@link parseNote} throws.
 */
export function verifyNote(note: string | Uint8Array | Note, keys: readonly VerifierKey[]): VerifiedNote {
  const parsed = typeof note === 'string' || note instanceof Uint8Array ? parseNote(note) : note;
  const verified: VerifiedSignature[] = [];
  const unknown: NoteSignature[] = [];
  for (const line of parsed.signatures) {
    const key = keys.find((candidate) => candidate.name === line.name && candidate.keyId === line.keyId);
    if (key === undefined) unknown.push(line);
    else verified.push(verifyLine(parsed.text, line, key));
  }
  return { text: parsed.text, verified, unknown };
}

function verifyLine(text: string, line: NoteSignature, key: VerifierKey): VerifiedSignature {
  if (line.signature.length !== TYPES[key.type].signatureBytes) {
    throw new ProofError('proof/signature', `the signature by ${key.name} has a wrong length`);
  }
  const timestamp = key.type === 'cosignature/v1' ? readUint64(line.signature) : undefined;
  const message = noteMessage(key.type, text, timestamp);
  if (!verifyEd25519(line.signature.subarray(-64), message, key.publicKey)) {
    throw new ProofError('proof/signature', `the signature by ${key.name} does not verify`);
  }
  return timestamp === undefined ? { key } : { key, timestamp };
}

function verifyEd25519(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    // RFC 8032, not ZIP 215: encodings that are not canonical are refused.
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}

/** Same key, by name and key id. */
export function isSameKey(left: VerifierKey, right: VerifierKey): boolean {
  return left.name === right.name && left.type === right.type && equalBytes(left.publicKey, right.publicKey);
}

function signerOf(signature: NoteSignature): string {
  return `${signature.keyId} ${signature.name}`;
}

function typeOfByte(byte: number): SignatureType | undefined {
  return (Object.keys(TYPES) as SignatureType[]).find((type) => TYPES[type].byte === byte);
}

function isKeyName(name: string): boolean {
  return name.length > 0 && name.length <= 255 && name.isWellFormed() && !hasControls(name) && !/[\s+\p{White_Space}\u007f]/u.test(name);
}

/** Control characters below U+0020, except the newline. */
function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 && unit !== 0x0a) return true;
  }
  return false;
}

function keyIdBytes(keyId: string): Uint8Array {
  return Uint8Array.from([0, 2, 4, 6], (at) => Number.parseInt(keyId.slice(at, at + 2), 16));
}

function requireTimestamp(timestamp: number | undefined): number {
  if (timestamp === undefined || !Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new ProofError('proof/note', 'a cosignature needs a timestamp');
  }
  return timestamp;
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

function readUint64(bytes: Uint8Array): number {
  const value = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0));
  if (!Number.isSafeInteger(value)) throw new ProofError('proof/note', 'the timestamp of a cosignature is out of range');
  return value;
}
