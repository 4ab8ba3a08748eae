import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { maxFileBytes } from './csv.ts';
import { noteRefused, receive, type FeedDeps } from './feed.ts';

export interface FolderDeps extends FeedDeps {
  /** How long a file must have stood unchanged before it is taken: operators rename into place, but one that does not is not read half. */
  readonly settledMs: number;
}

/** Operators rename finished files into place: names that begin with a dot or do not end in `.csv` (`.tmp`, `.part`) are work in progress. */
const finished = /^[\w-][\w.-]{0,119}\.csv$/;
/** Faults of one file that last; others may pass and are left to the next round. */
const lasting: Readonly<Record<string, string>> = {
  EACCES: 'the file cannot be read', EPERM: 'the file cannot be read', ELOOP: 'not a file of its own', EISDIR: 'not a file', ENXIO: 'not a file',
};

type Look =
  | { readonly kind: 'gone' | 'unsettled' }
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly stats: Stats }
  | { readonly kind: 'too-large'; readonly digest: Buffer; readonly stats: Stats }
  | { readonly kind: 'unreadable'; readonly reason: string };

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
const isSame = (one: Stats, other: Stats): boolean => one.ino === other.ino && one.size === other.size && one.mtimeMs === other.mtimeMs;

async function digestOf(file: FileHandle): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const piece of file.createReadStream({ start: 0, autoClose: false })) hash.update(piece as Buffer);
  return hash.digest();
}

async function lookInto(file: FileHandle, now: number, settledMs: number): Promise<Look> {
  const stats = await file.stat();
  if (!stats.isFile()) return { kind: 'unreadable', reason: 'not a file' };
  // The operator's clock may run ahead: a time to come, beyond the pause, says nothing.
  if (Math.abs(now - stats.mtimeMs) < settledMs) return { kind: 'unsettled' };
  const read: Look = stats.size > maxFileBytes
    ? { kind: 'too-large', digest: await digestOf(file), stats } : { kind: 'bytes', bytes: await file.readFile(), stats };
  return isSame(stats, await file.stat()) && (read.kind !== 'bytes' || read.bytes.length === stats.size) ? read : { kind: 'unsettled' };
}

async function look(path: string, now: number, settledMs: number): Promise<Look> {
  let file: FileHandle | undefined;
  try {
    // Neither a link out of the folder is followed nor a pipe waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    return await lookInto(file, now, settledMs);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return { kind: 'gone' };
    if (lasting[code] === undefined) throw error;
    return { kind: 'unreadable', reason: lasting[code] };
  } finally {
    await file?.close();
  }
}

/** Removes the file that was read, unless another has taken its name meanwhile. */
async function removeRead(path: string, stats: Stats): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there !== undefined && isSame(there, stats)) await rm(path, { force: true });
}

/**
 * Takes in one file; true when it is done with. A file goes only after its batch is committed; a crash between the two is mended by the next
 * round, which finds the same content again. One that is too large goes as well, once its digest and the reason are noted: it holds personal
 * data in clear and the operator has it. One that cannot be read stays where it is, noted once.
 */
async function takeIn(deps: FolderDeps, operatorId: string, folder: string, name: string): Promise<boolean> {
  const path = join(folder, name);
  const found = await look(path, deps.clock.now().getTime(), deps.settledMs);
  switch (found.kind) {
    case 'gone':
    case 'unsettled': return false;
    case 'unreadable':
      await noteRefused(deps, operatorId, name, null, found.reason);
      return false;
    case 'too-large':
      await noteRefused(deps, operatorId, name, found.digest, `the file is larger than ${maxFileBytes} bytes`);
      break;
    case 'bytes':
      await receive(deps, operatorId, name, found.bytes);
  }
  await removeRead(path, found.stats);
  return true;
}

/** An operator that has not left anything yet may have no folder. */
async function listed(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Takes in the files an operator has put into its folder, by name, at most `limit` a round. One that cannot be taken holds up no other. */
export async function sweepFolder(deps: FolderDeps, operatorId: string, folder: string, limit = 50): Promise<number> {
  let taken = 0;
  for (const name of (await listed(folder)).filter((one) => finished.test(one)).sort()) {
    if (taken >= limit) break;
    try {
      if (await takeIn(deps, operatorId, folder, name)) taken += 1;
    } catch (error) {
      if (!codeOf(error).startsWith('E') || (error as NodeJS.ErrnoException).syscall === undefined) throw error;
      deps.log.error({ operatorId, source: name, code: codeOf(error) }, 'a usage file could not be looked into');
    }
  }
  return taken;
}
