import { importsOf, isSource } from './tree.ts';
import type { Fault, Import, TreeFile } from './tree.ts';

/** The ranks of the server's slices: calls go down, events come up. */
export const ranks: Readonly<Record<string, number>> = {
  platform: 0,
  ledger: 1, notifications: 1, access: 1, webhooks: 1, transparency: 1, partners: 1, operations: 1,
  accounts: 2, inventory: 2, catalogue: 2, payments: 2,
  smdp: 3,
  lines: 4,
  usage: 5,
  orders: 6,
  support: 7,
  closure: 8,
  views: 9,
};

const server = 'packages/server/src/';

/** Folders beside the slices whose files wire them, as those at the top do. */
const wiring = new Set(['bin', 'wiring']);

/** The slice of a file of the server; undefined for the files that wire them. */
export function sliceOf(path: string): string | undefined {
  if (!path.startsWith(server)) return undefined;
  const [slice, rest] = path.slice(server.length).split('/', 2);
  return slice === undefined || rest === undefined || wiring.has(slice) ? undefined : slice;
}

/** A slice is entered by its index; a room of the platform also by its types, and in tests by its testing file. What wires may reach into rooms. */
function isDoor(target: string, slice: string): boolean {
  const inside = target.slice(`${server}${slice}/`.length);
  if (slice !== 'platform') return inside === 'index.ts';
  return /^[a-z-]+\.ts$/.test(inside) || /^[a-z-]+\/(index|types|testing|test-setup)\.ts$/.test(inside);
}

function faultOf(path: string, from: string | undefined, { target }: Import): string | undefined {
  if (target === undefined) return undefined;
  const workspace = /^packages\/[^/]+\//.exec(path)?.[0];
  if (workspace !== undefined && !target.startsWith(workspace)) return `${target} lies in another package: import it by that package's name`;
  const to = sliceOf(target);
  if (to === undefined || to === from) {
    return from !== undefined && to === undefined && target.startsWith(server) ? `${target} is above every slice` : undefined;
  }
  const reachesRoom = from === undefined && to === 'platform';
  if (!reachesRoom && !isDoor(target, to)) return `${target} is inside ${to}: enter by its index.ts`;
  if (from === undefined) return undefined;
  const [low, high] = [ranks[to], ranks[from]];
  if (low === undefined || high === undefined) return undefined;
  return low < high ? undefined : `${from} (rank ${high}) may not import ${to} (rank ${low})`;
}

/** Law 1: imports go down in rank and through doors. */
export function rankFaults(files: readonly TreeFile[]): Fault[] {
  return files.filter((file) => isSource(file.path)).flatMap((file) => {
    const slice = sliceOf(file.path);
    const unknown = slice !== undefined && ranks[slice] === undefined
      ? [{ law: 'ranks', path: file.path, line: 1, reason: `${slice} has no rank` }]
      : [];
    const imports = importsOf(file).flatMap((one) => {
      const reason = faultOf(file.path, slice, one);
      return reason === undefined ? [] : [{ law: 'ranks', path: file.path, line: one.line, reason }];
    });
    return [...unknown, ...imports];
  });
}
