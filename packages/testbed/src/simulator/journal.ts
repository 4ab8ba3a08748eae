import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A simulator's own books on disk: one JSON object a line, each on disk before the simulator answers. */
export interface Journal<E> {
  append(entry: E): void;
  close(): void;
}

/** The whole lines of a journal; a line torn by a crash does not count. */
export function readJournal<E>(file: string): E[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as E);
}

/** Opens a journal and plays back what it holds. */
export function openJournal<E>(file: string, replay: (entry: E) => void): Journal<E> {
  mkdirSync(dirname(file), { recursive: true });
  for (const entry of readJournal<E>(file)) replay(entry);
  const descriptor = openSync(file, 'a+');
  const bytes = readFileSync(descriptor);
  // A torn last line would swallow the next entry.
  ftruncateSync(descriptor, bytes.lastIndexOf(0x0a) + 1);
  return {
    append(entry) {
      writeSync(descriptor, `${JSON.stringify(entry)}\n`);
      fsyncSync(descriptor);
    },
    close: () => closeSync(descriptor),
  };
}
