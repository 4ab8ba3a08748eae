/** ES256: ECDSA on P-256 with SHA-256; ES256-brainpool: the same on brainpoolP256r1. */
export type SignatureAlgorithm = 'ES256' | 'Ed25519' | 'ES256-brainpool';

/** A private key that never leaves its adapter. ECDSA signatures are raw r||s (64 bytes). */
export interface Signer {
  /** Stable id, shown in trust files and headers. */
  readonly keyId: string;
  readonly algorithm: SignatureAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyDer: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** Seals values under a data key of their own subject, so that destroying the key erases them everywhere, backups included. */
export interface DataKeys {
  /**
   * AES-256-GCM under the subject's key (made at first use); `context` is bound as associated data, for example
   * `accounts.account.email`.
   * @throws `keys/destroyed`
   */
  seal(subjectId: string, context: string, plain: string | Uint8Array): Promise<Buffer>;
  /** @throws `keys/destroyed` when the key was destroyed, `keys/unopenable` when the value does not fit. */
  open(subjectId: string, context: string, sealed: Uint8Array): Promise<Buffer>;
  openText(subjectId: string, context: string, sealed: Uint8Array): Promise<string>;
  /**
   * Opens a list with one look-up of keys; undefined where the subject's key was destroyed.
   * @throws `keys/unopenable`
   */
  openMany(items: readonly SealedItem[]): Promise<(Buffer | undefined)[]>;
  /**
   * Writes the tombstone, then destroys the key: its bucket gets another wrapping key, under which the others of the bucket are wrapped
   * anew, and the file of the previous one is overwritten and deleted. Repeatable; where it breaks off, `finishDestroying` goes on.
   */
  destroy(subjectId: string, reason: string): Promise<void>;
  /** True once `destroy` was called. */
  isDestroyed(subjectId: string): Promise<boolean>;
}

export interface SealedItem {
  readonly subjectId: string;
  readonly context: string;
  readonly sealed: Uint8Array;
}

/** A subject whose key was destroyed. */
export interface Tombstone {
  readonly subjectId: string;
  readonly destroyedAt: Date;
}

/** Upkeep of the store of data keys. */
export interface KeyUpkeep {
  /**
   * Fails when the store holds keys that none of the configured master keys unwraps, or whose files are not in this key folder.
   * @throws `keys/wrong-master-key`, `keys/missing-key-file`, `keys/bad-key-file`
   */
  check(): Promise<void>;
  /** Destroys keys whose tombstone was written before a crash, and files that a crash left; answers how many keys. */
  finishDestroying(): Promise<number>;
  /** Wraps keys anew that lie under a previous master key, by whole buckets until `limit` is reached; answers how many. */
  rewrap(limit: number): Promise<number>;
  /** The tombstones in order of subject, for erasing again after a restore of the main database. */
  tombstones(page: { readonly after?: string; readonly limit: number }): Promise<Tombstone[]>;
}

/** Where encrypted key files lie, of signers and of the wrapping keys of data keys: a folder, or whatever several machines share. */
export interface KeyFolder {
  read(name: string): Promise<Buffer | undefined>;
  /** Durable and all or nothing; false when that name exists already, whoever made it. */
  create(name: string, bytes: Uint8Array): Promise<boolean>;
  /** Overwrites and removes, durably; repeatable. No version and no copy may stay behind. */
  destroy(name: string): Promise<void>;
}

/** Keyed digests of values that are looked up but must not be readable: HMAC-SHA256 under the index key, 32 bytes. */
export interface BlindIndex {
  of(purpose: string, value: string): Buffer;
}
