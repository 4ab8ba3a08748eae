import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  certificateLeaf, closureStatementOf, emailCommitment, formatOpenings, openingOfEmail, parseOpenings, ProofError, revocationLeaf,
  verifyOpenings,
} from './index.ts';
import { SAMPLE_EMAIL, SAMPLE_SALT, sampleFacts } from './testing/sample.ts';

const statement = closureStatementOf(sampleFacts());
const openings = {
  format: 'yuanyou-openings/v1', caseNumber: 'YY-2026-000123', openings: [openingOfEmail(SAMPLE_EMAIL, SAMPLE_SALT)],
} as const;

test('the holder\'s file opens the commitment', () => {
  const read = parseOpenings(formatOpenings(openings));
  expect(read).toEqual(openings);
  verifyOpenings(read, statement);
});

test('another value, salt or case opens nothing', () => {
  const other = createHash('sha256').update('other').digest();
  const wrong = [
    { ...openings, openings: [openingOfEmail('other@example.com', SAMPLE_SALT)] },
    { ...openings, openings: [openingOfEmail(SAMPLE_EMAIL, other)] },
    { ...openings, openings: [openingOfEmail(SAMPLE_EMAIL.toUpperCase(), SAMPLE_SALT)] },
    { ...openings, caseNumber: 'YY-2026-000124' },
    { ...openings, openings: [] },
  ];
  for (const one of wrong) expect(() => verifyOpenings(one, statement)).toThrow(ProofError);
  expect(() => parseOpenings(formatOpenings(openings).replace('email', 'phone'))).toThrow(ProofError);
});

test('the commitments are plain SHA-256 over domain, salt and value, and differ by domain and salt', () => {
  const expected = createHash('sha256').update('yuanyou-email/v1\n').update(SAMPLE_SALT).update(SAMPLE_EMAIL).digest();
  expect(Buffer.from(emailCommitment(SAMPLE_EMAIL, SAMPLE_SALT))).toEqual(expected);
  const leaf = certificateLeaf('a.b.c', SAMPLE_SALT);
  expect(revocationLeaf('a.b.c', SAMPLE_SALT)).not.toEqual(leaf);
  expect(certificateLeaf('a.b.c', createHash('sha256').digest())).not.toEqual(leaf);
  expect(() => certificateLeaf('a.b.c', SAMPLE_SALT.subarray(1))).toThrow(ProofError);
});
