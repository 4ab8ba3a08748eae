import { randomBytes } from 'node:crypto';
import { accessSync, constants, linkSync, mkdirSync, readFileSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ServiceError } from './platform/errors.ts';
import type { Config } from './config.ts';

/** Makes the data folder, closed to others, or finds out that it cannot be used. @throws `data/unusable` */
export function prepareDataFolder(config: Config): void {
  const folder = config.dataFolder;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    readdirSync(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      EACCES: 'this user may not read and write it', EPERM: 'this user may not read and write it', EROFS: 'it is read-only',
      ENOTDIR: 'a part of its path is a file', EEXIST: 'it is a file', ENOSPC: 'the disk is full',
    };
    throw new ServiceError('data/unusable', { folder, reason: reasons[code ?? ''] ?? code ?? 'error' }, { cause: cause as Error });
  }
}

/** The configured master key; where none is configured, one made at the first start and kept in a file that only this user reads. */
export function masterKeyOf(config: Config): Buffer {
  const { masterKey, masterKeyFile: file } = config.keys;
  if (masterKey !== undefined) return masterKey;
  const made = readKey(file) ?? makeKey(file);
  if (made.length !== 32) throw new ServiceError('keys/bad-master-key-file', { file });
  return made;
}

function readKey(file: string): Buffer | undefined {
  try {
    return Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function makeKey(file: string): Buffer {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'w', flush: true });
  try {
    // Complete or not at all, and never over the key of a process that was quicker.
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
  return readKey(file)!;
}
