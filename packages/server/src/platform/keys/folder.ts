import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '../errors.ts';
import type { KeyFolder } from './types.ts';

/** Files of mode 0600 in a folder of mode 0700. Several processes may use one folder. */
export function fileFolder(path: string): KeyFolder {
  return {
    async read(name) {
      try {
        return await readFile(join(path, fileName(name)));
      } catch (error) {
        if (isCode(error, 'ENOENT')) return undefined;
        throw error;
      }
    },
    async create(name, bytes) {
      await mkdir(path, { recursive: true, mode: 0o700 });
      const draft = join(path, `.${fileName(name)}.${randomUUID()}`);
      try {
        await writeDurably(draft, bytes);
        return await publish(draft, join(path, fileName(name)));
      } finally {
        await unlink(draft);
        await syncFolder(path);
      }
    },
    async destroy(name) {
      const file = join(path, fileName(name));
      if (!await overwrite(file)) return;
      await unlink(file).catch((error: unknown) => { if (!isCode(error, 'ENOENT')) throw error; });
      await syncFolder(path);
    },
  };
}

function fileName(name: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) throw new ServiceError('keys/bad-name');
  return `${name}.key`;
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Other bytes in the place of a file's own, on the disk when it resolves; false when there is no such file. */
async function overwrite(path: string): Promise<boolean> {
  let file;
  try {
    file = await open(path, 'r+');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
  try {
    const { size } = await file.stat();
    await file.write(randomBytes(size), 0, size, 0);
    await file.sync();
    return true;
  } finally {
    await file.close();
  }
}

/** A hard link, where a rename would do: it is as atomic, and refuses to replace a key that another process has just made. */
async function publish(draft: string, final: string): Promise<boolean> {
  try {
    await link(draft, final);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
