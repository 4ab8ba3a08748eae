import { transparencyRoutes } from '@yuanyou/contract';
import { encodeEntries, parseTilePath, ProofError, TILE_WIDTH } from '@yuanyou/proof';
import type { Reader } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { endpoint } from '../platform/http/types.ts';
import type { Endpoint } from '../platform/http/types.ts';
import type { Head } from './head.ts';
import * as store from './store.ts';
import type { TrustParts } from './trust.ts';
import { trustOf } from './trust.ts';

export interface RouteDeps {
  readonly db: Reader;
  readonly head: Head;
  readonly trust: TrustParts;
}

/** Anybody's page may read the log: a verifier is not ours to host. */
const open = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' };
const immutable = { ...open, 'cache-control': 'public, max-age=31536000, immutable' };
const brief = { ...open, 'cache-control': 'public, max-age=2' };

export function transparencyEndpoints(deps: RouteDeps): Endpoint[] {
  // Grows with what this process has published, so that most tiles need no look at the head.
  let known: store.LogRow | undefined;
  const holding = async (size: number): Promise<store.LogRow | undefined> => {
    if (known === undefined || known.size < size) known = await deps.head.publish();
    return known.size < size ? undefined : known;
  };
  return [
    endpoint(transparencyRoutes.getCheckpoint, async () => {
      known = await deps.head.publish();
      return { status: 200, body: known.checkpoint, headers: brief };
    }),
    endpoint(transparencyRoutes.getTile, async ({ params }) => {
      const address = readAddress(`tile/${params['*']}`);
      const level = address.level === 'entries' ? 0 : address.level;
      // A tile that reaches past the published tree is not shown: it could still turn out otherwise.
      const row = await holding((address.index * TILE_WIDTH + address.width) * TILE_WIDTH ** level);
      const bytes = row && await readAt(deps.db, row.logId, address);
      if (bytes === undefined) throw new ServiceError('transparency/no-such-tile');
      return { status: 200, body: bytes, headers: immutable };
    }),
    endpoint(transparencyRoutes.getTrust, async () => ({ status: 200, body: await trustOf(deps.db, deps.trust) })),
  ];
}

function readAddress(path: string): ReturnType<typeof parseTilePath> {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (error instanceof ProofError) throw new ServiceError('transparency/no-such-tile');
    throw error;
  }
}

async function readAt(db: Reader, logId: number, address: ReturnType<typeof parseTilePath>): Promise<Uint8Array | undefined> {
  if (address.level !== 'entries') return store.readTile(db, logId, address);
  const entries = await store.readEntries(db, logId, address.index, address.width);
  return entries.length === address.width ? encodeEntries(entries) : undefined;
}
