/** A private key that never leaves its adapter. ES256 signatures are raw r||s (64 bytes). */
export interface Signer {
  /** Stable id, shown in trust files and headers. */
  readonly keyId: string;
  readonly algorithm: 'ES256' | 'Ed25519' | 'ES256-brainpool';
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyDer: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** Seals values under a data key of their own subject, so that destroying the key erases them everywhere, backups included. */
export interface DataKeys {
  /** AES-256-GCM under the subject's key (made at first use); `context` is bound as associated data, for example `accounts.account.email`. */
  seal(subjectId: string, context: string, plain: string | Uint8Array): Promise<Buffer>;
  /** @throws `keys/destroyed` when the key was destroyed, `keys/unopenable` when the value does not fit. */
  open(subjectId: string, context: string, sealed: Uint8Array): Promise<Buffer>;
  openText(subjectId: string, context: string, sealed: Uint8Array): Promise<string>;
  /** Writes the tombstone, then destroys the key. Repeatable. */
  destroy(subjectId: string, reason: string): Promise<void>;
  /** True once `destroy` was called. */
  isDestroyed(subjectId: string): Promise<boolean>;
}

/** Keyed digests of values that are looked up but must not be readable: HMAC-SHA256 under the index key, 32 bytes. */
export interface BlindIndex {
  of(purpose: string, value: string): Buffer;
}
