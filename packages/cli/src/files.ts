import { closeSync, openSync, readSync } from 'node:fs';
import { UsageError } from './terminal.ts';

/** Reads a file of at most `limit` bytes, and one byte more of a longer one, so that whoever parses it sees that it is too long. */
export function readBounded(path: string, limit: number): Uint8Array {
  const bytes = Buffer.alloc(limit + 1);
  let length = 0;
  try {
    const file = openSync(path, 'r');
    try {
      for (;;) {
        const read = readSync(file, bytes, length, bytes.length - length, null);
        length += read;
        if (read === 0 || length === bytes.length) break;
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`);
  }
  return bytes.subarray(0, length);
}
