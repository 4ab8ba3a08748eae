import { createPublicKey, verify } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatCheckpoint, formatNote, formatVerifierKey, parseCheckpoint, parseNote, parseVerifierKey, ProofError, verifierKey, verifyNote,
} from './index.ts';
import { newNoteSigner, signNote } from './testing/sample.ts';

const TEXT = 'first line\n\nafter an empty line\n';
const log = newNoteSigner('log.example/1');
const witness = newNoteSigner('witness.example/w1', 'cosignature/v1');

describe('verifier keys', () => {
  test('the published example of Go\'s checksum database reads, and its key id fits', () => {
    const vkey = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';
    const key = parseVerifierKey(vkey);
    expect(key).toMatchObject({ name: 'sum.golang.org', type: 'ed25519', keyId: '033de0ae' });
    expect(formatVerifierKey(key)).toBe(vkey);
  });

  test('a changed character, an unknown type or a foreign key id is refused', () => {
    const vkey = formatVerifierKey(log.key);
    for (let at = 0; at < vkey.length; at += 1) {
      const changed = vkey.slice(0, at) + (vkey[at] === 'A' ? 'B' : 'A') + vkey.slice(at + 1);
      expect(() => parseVerifierKey(changed), changed).toThrow(ProofError);
    }
    expect(() => verifierKey('a b', 'ed25519', new Uint8Array(32))).toThrow(ProofError);
    expect(() => verifierKey('a+b', 'ed25519', new Uint8Array(32))).toThrow(ProofError);
    expect(() => verifierKey('a', 'ed25519', new Uint8Array(31))).toThrow(ProofError);
  });
});

describe('notes', () => {
  test('a note reads back, and its signatures are those of plain Ed25519', () => {
    const note = parseNote(signNote(TEXT, [log]));
    expect(note.text).toBe(TEXT);
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(log.key.publicKey).toString('base64url') };
    expect(verify(null, Buffer.from(TEXT), createPublicKey({ key: jwk, format: 'jwk' }), note.signatures[0]!.signature)).toBe(true);
  });

  test('known keys are verified, others only reported', () => {
    const stranger = newNoteSigner('stranger.example');
    const found = verifyNote(signNote(TEXT, [log, stranger, witness], 1_795_000_123), [log.key, witness.key]);
    expect(found.verified.map(({ key, timestamp }) => [key.name, timestamp])).toEqual([
      ['log.example/1', undefined], ['witness.example/w1', 1_795_000_123],
    ]);
    expect(found.unknown.map(({ name }) => name)).toEqual(['stranger.example']);
    const namesake = newNoteSigner('log.example/1');
    expect(verifyNote(signNote(TEXT, [namesake]), [log.key]).verified).toEqual([]);
  });

  test('a cosignature does not hold for another time, nor as a plain signature', () => {
    const line = parseNote(signNote(TEXT, [witness])).signatures[0]!;
    const later = Uint8Array.from(line.signature);
    later[7]! ^= 1;
    expect(() => verifyNote(formatNote(TEXT, [{ ...line, signature: later }]), [witness.key])).toThrow(/does not verify/);
    const plain = verifierKey(witness.key.name, 'ed25519', witness.key.publicKey);
    const stripped = formatNote(TEXT, [{ ...line, keyId: plain.keyId, signature: line.signature.slice(8) }]);
    expect(() => verifyNote(stripped, [plain])).toThrow(ProofError);
  });

  test('a changed text or signature of a known key is refused', () => {
    const note = signNote(TEXT, [log]);
    expect(() => verifyNote(note.replace('first', 'First'), [log.key])).toThrow(ProofError);
    const { signatures } = parseNote(note);
    const signature = Uint8Array.from(signatures[0]!.signature);
    signature[10]! ^= 0x40;
    expect(() => verifyNote(formatNote(TEXT, [{ ...signatures[0]!, signature }]), [log.key])).toThrow(ProofError);
  });

  test('what is not a note is refused', () => {
    const note = signNote(TEXT, [log]);
    const wrong = [
      '', '\n', note.slice(0, -1), `${note}\n`, TEXT, `${TEXT}\n`, note.replace('\n', '\r\n'), note.replace('first', 'fi\u0000rst'),
      note.replace('— ', '- '), note.replace('log.example', 'log example'), note + note.slice(note.lastIndexOf('— ')),
      note.replace('first', '\ud800'),
    ];
    for (const text of wrong) expect(() => parseNote(text), JSON.stringify(text)).toThrow(ProofError);
    expect(() => parseNote(new Uint8Array([0xff, 0x0a, 0x0a]))).toThrow(ProofError);
    expect(() => parseNote('x'.repeat(70_000))).toThrow(ProofError);
  });

  test('random bytes never do anything but throw a ProofError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        parseNote(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ProofError);
      }
    }));
  });
});

describe('checkpoints', () => {
  test('the text reads back', () => {
    const checkpoint = { origin: 'example.com/behind-the-sofa', size: 20_852_163, root: Uint8Array.from({ length: 32 }, (_, at) => at) };
    const text = formatCheckpoint(checkpoint);
    expect(text).toBe('example.com/behind-the-sofa\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n');
    expect(parseCheckpoint(text)).toEqual(checkpoint);
  });

  test('extension lines, other spellings of a size and stray bits are refused', () => {
    const root = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
    const wrong = [
      `o\n01\n${root}\n`, `o\n-1\n${root}\n`, `o\n1\n${root}\nmore\n`, `o\n1\n${root}`, `\n1\n${root}\n`,
      `o\n1\n${root.replace('8=', '9=')}\n`,
      `o\n9007199254740993\n${root}\n`, `o p\n1\n${root}\n`, `o\n1\n${root.slice(4)}\n`,
    ];
    for (const text of wrong) expect(() => parseCheckpoint(text), text).toThrow(ProofError);
  });
});
