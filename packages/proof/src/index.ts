export { ProofError, type ProofErrorCode } from './error.ts';
export {
  consistencyProof, emptyRoot, HASH_BYTES, type HashReader, inclusionProof, joinHashes, leafHash, nodeHash, readerOfLeaves,
  rootFromInclusion, type Subtree, subtreesForConsistency, subtreesForInclusion, subtreesForRoot, treeRoot, verifyConsistency,
  verifyInclusion,
} from './merkle.ts';
export {
  encodeEntries, type EntriesAddress, hashesOfTile, parseEntries, parseTilePath, partialTiles, readerOfTiles, TILE_WIDTH,
  type TileAddress, tileOfSubtree, tilePath, tileRoot, tilesOfSubtrees, tileWidth,
} from './tile.ts';
export {
  formatNote, formatVerifierKey, isSameKey, type Note, NOTE_LIMITS, noteMessage, type NoteSignature, noteSignature, parseNote,
  parseVerifierKey, type SignatureType, type VerifiedNote, type VerifiedSignature, type VerifierKey, verifierKey,
  verifierKeyFingerprint, verifyNote,
} from './note.ts';
export { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
export {
  type ClosureFacts, type ClosureStatement, closureStatementOf, type ClosureSubject, type ErasedRows, formatStatement, type KeptField,
  type PaidAmount, parseStatement, STATEMENT_LIMITS, type StoppedLine, type ToldRecipient,
} from './statement.ts';
export {
  assemble, type Certificate, type CertificateHeader, ed25519OfSpki, type IssuerJwk, jwkOfSpki, parseCertificate, signingInput,
  verifyCertificate,
} from './certificate.ts';
export {
  certificateLeaf, emailCommitment, formatOpenings, type Opening, openingOfEmail, type Openings, parseOpenings, revocationLeaf, SALT_BYTES,
  verifyOpenings,
} from './commitment.ts';
export { type Bundle, BUNDLE_LIMIT_BYTES, bundleOf, type BundleParts, formatBundle, type LogEvidence, parseBundle } from './bundle.ts';
export {
  formatTrust, issuerFingerprint, type IssuerKey, issuerKeyOf, parseTrust, type Trust, type TrustedLog, trustFingerprint,
  type WitnessPolicy,
} from './trust.ts';
export { type Check, type CheckName, type Verification, verifyBundle } from './verify.ts';
