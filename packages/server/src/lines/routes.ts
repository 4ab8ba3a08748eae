import { lineRoutes } from '@yuanyou/contract';
import type { line as lineSchema } from '@yuanyou/contract';
import type { z } from 'zod';
import type { Reader } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { endpoint } from '../platform/http/types.ts';
import type { Endpoint } from '../platform/http/types.ts';
import { tail } from './model.ts';
import type { Line } from './model.ts';
import type { Downloads } from './ports.ts';
import * as store from './store.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A cursor of ours is the id of the last row shown; anything else starts from the top. */
function before(cursor: string | undefined): string | null {
  return cursor !== undefined && uuid.test(cursor) ? cursor : null;
}

function shown(line: Line): z.input<typeof lineSchema> {
  return {
    lineId: line.lineId, planId: line.planId, delivery: line.delivery, service: line.service, iccidTail: tail(line.iccid ?? '0000'), deviceId: line.deviceId,
    createdAt: line.createdAt.toISOString(), activatedAt: line.activatedAt?.toISOString() ?? null, terminatedAt: line.terminatedAt?.toISOString() ?? null,
  };
}

async function own(db: Reader, lineId: string, accountId: string): Promise<Line> {
  const line = await store.findLine(db, lineId);
  if (line === undefined || line.accountId !== accountId) throw new ServiceError('lines/unknown', { lineId });
  return line;
}

function devicesShown(rows: readonly store.DeviceRow[]) {
  const byId = new Map<string, { deviceId: string; eidTail: string; firstSeenAt: string; lines: { lineId: string; delivery: Line['delivery'] }[] }>();
  for (const row of rows) {
    const device = byId.get(row.deviceId) ?? { deviceId: row.deviceId, eidTail: tail(row.eid), firstSeenAt: row.firstSeenAt.toISOString(), lines: [] };
    if (row.lineId !== null && row.delivery !== null) device.lines.push({ lineId: row.lineId, delivery: row.delivery });
    byId.set(row.deviceId, device);
  }
  return [...byId.values()];
}

/** The traveller's own lines and devices. */
export function lineEndpoints(deps: { readonly db: Reader; readonly downloads: Downloads }): Endpoint[] {
  const { db } = deps;
  return [
    endpoint(lineRoutes.listLines, async ({ principal, query }) => {
      const rows = await store.linesOf(db, principal.accountId, before(query.cursor), query.limit + 1);
      const items = rows.slice(0, query.limit);
      return { status: 200, body: { items: items.map(shown), nextCursor: rows.length > query.limit ? items.at(-1)!.lineId : null } };
    }),
    endpoint(lineRoutes.getLine, async ({ principal, params }) => ({ status: 200, body: shown(await own(db, params.lineId, principal.accountId)) })),
    endpoint(lineRoutes.getActivation, async ({ principal, params }) => {
      const line = await own(db, params.lineId, principal.accountId);
      const activation = await deps.downloads.activation(db, line.profileId);
      if (line.delivery === 'allocated' || activation === undefined) throw new ServiceError('lines/not-released', { lineId: line.lineId });
      return { status: 200, body: activation };
    }),
    endpoint(lineRoutes.listLineChanges, async ({ principal, params, query }) => {
      const line = await own(db, params.lineId, principal.accountId);
      const rows = await store.changesOf(db, line.lineId, before(query.cursor), query.limit + 1);
      const items = rows.slice(0, query.limit);
      return {
        status: 200,
        body: {
          items: items.map((row) => ({
            at: row.at.toISOString(), axis: row.axis, from: row.fromState, to: row.toState, by: row.byKind, reason: row.reason,
          })),
          nextCursor: rows.length > query.limit ? items.at(-1)!.changeId : null,
        },
      };
    }),
    endpoint(lineRoutes.listDevices, async ({ principal }) => ({
      status: 200, body: { devices: devicesShown(await store.devicesOf(db, principal.accountId)) },
    })),
  ];
}
