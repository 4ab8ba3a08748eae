import type { Reader, Tx } from '../db/types.ts';

export interface NewBlob {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly deleteAfter: Date;
}

/** Bytes too large for a row. Callers seal what is personal before they put it. */
export interface Blobs {
  put(tx: Tx, blob: NewBlob): Promise<void>;
  get(db: Reader, id: string): Promise<{ readonly bytes: Buffer; readonly mediaType: string; readonly deleteAfter: Date } | undefined>;
  delete(tx: Tx, id: string): Promise<void>;
}
