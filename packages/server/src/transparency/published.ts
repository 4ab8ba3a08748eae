import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** What was published of a log, remembered outside the database, so that a restored backup cannot fork it. */
export interface PublishedHeads {
  /** The signed note of the largest tree that was published; undefined before the first. */
  latest(): Promise<string | undefined>;
  /** Remembers a note over a tree of `size` leaves, for good when it resolves. Answers the note that stands for that size: the first. */
  record(size: number, note: string): Promise<string>;
}

const name = /^(\d{16})\.checkpoint$/;

/** How many notes stay beside the newest. */
const kept = 16;

/**
 * Keeps the notes in a folder of their own below `folder`, one file a tree size. Names are made once and the largest counts: so several
 * processes may write at once, and none can take the head back.
 */
export function publishedFolder(folder: string, origin: string): PublishedHeads {
  const own = join(folder, createHash('sha256').update(origin).digest('hex').slice(0, 32));
  return {
    async latest() {
      for (;;) {
        const largest = (await sizesIn(own)).at(-1);
        if (largest === undefined) return undefined;
        const note = await readIfThere(pathOf(own, largest));
        // Gone only where other processes published many times in between: there is a larger one.
        if (note !== undefined) return note;
      }
    },
    async record(size, note) {
      if (await mkdir(own, { recursive: true }) !== undefined) await syncFolder(folder);
      const standing = await create(own, size, note);
      await syncFolder(own);
      await prune(own);
      return standing;
    },
  };
}

function pathOf(folder: string, size: number): string {
  return join(folder, `${String(size).padStart(16, '0')}.checkpoint`);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function sizesIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.flatMap((file) => {
    const match = name.exec(file);
    return match === null ? [] : [Number(match[1])];
  }).sort((left, right) => left - right);
}

async function create(folder: string, size: number, note: string): Promise<string> {
  const draft = join(folder, `.${randomBytes(9).toString('hex')}.draft`);
  const file = await open(draft, 'wx', 0o644);
  try {
    await file.writeFile(note);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // A link, not a rename: it fails where the name exists, and the file is whole when the name appears.
    await link(draft, pathOf(folder, size));
    return note;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return await readFile(pathOf(folder, size), 'utf8');
  } finally {
    await unlink(draft);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function prune(folder: string): Promise<void> {
  const sizes = await sizesIn(folder);
  for (const size of sizes.slice(0, Math.max(0, sizes.length - kept))) {
    await unlink(pathOf(folder, size)).catch((error: NodeJS.ErrnoException) => {
      // Another process pruned it first.
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
