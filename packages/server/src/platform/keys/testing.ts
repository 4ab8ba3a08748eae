import type { KeyFolder } from './types.ts';

/** A key folder that lies in memory; the map is what is in it. */
export function memoryFolder(files: Map<string, Buffer> = new Map()): KeyFolder {
  return {
    read: (name) => Promise.resolve(files.get(name)),
    create(name, bytes) {
      if (files.has(name)) return Promise.resolve(false);
      files.set(name, Buffer.from(bytes));
      return Promise.resolve(true);
    },
    destroy(name) {
      files.delete(name);
      return Promise.resolve();
    },
  };
}
