import { createHmac } from 'node:crypto';
import type { ProblemRow } from '@yuanyou/contract';
import type { Clock } from '../clock/index.ts';
import { systemClock } from '../clock/index.ts';
import type { Transactor } from '../db/types.ts';
import type { BlindIndex } from '../keys/types.ts';
import { createHttp } from './build.ts';
import type { HttpOptions } from './build.ts';
import type { Authenticator, Endpoint, Principal } from './types.ts';

export { drive } from './drive.ts';
export type { Driven, RawCall } from './drive.ts';

/** A blind index under a key that everyone knows. */
export const testBlindIndex: BlindIndex = { of: (purpose, value) => createHmac('sha256', `test ${purpose}`).update(value).digest() };

/** What the service logged. */
export interface Logged {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An authenticator whose secrets are the keys of a table. */
export function tableAuthenticator(kind: 'traveller' | 'agent', prefix: string, table: Readonly<Record<string, Principal>>): Authenticator {
  return { kind, prefix, cookie: true, principal: (secret) => Promise.resolve(table[secret]) };
}

/** Serves endpoints on a loopback port, with a log that can be read. */
export async function serveForTest(options: {
  readonly endpoints: readonly Endpoint[]; readonly db: Transactor; readonly problems?: Readonly<Record<string, ProblemRow>>;
  readonly authenticators?: readonly Authenticator[]; readonly clock?: Clock; readonly blindIndex?: BlindIndex; readonly more?: Partial<HttpOptions>;
}) {
  const logged: Logged[] = [];
  const writer = (level: Logged['level']) => ((fields: Record<string, unknown>) => { logged.push({ level, fields }); }) as never;
  const http = await createHttp({
    endpoints: options.endpoints, problems: options.problems ?? {}, authenticators: options.authenticators ?? [], db: options.db,
    blindIndex: options.blindIndex ?? testBlindIndex, clock: options.clock ?? systemClock,
    log: { info: writer('info'), warn: writer('warn'), error: writer('error') },
    publicUrl: 'http://api.example.test', limits: { requestsPerMinute: 0 }, ...options.more,
  });
  const { url } = await http.listen({ host: '127.0.0.1', port: 0 });
  return { http, url, logged, close: () => http.close() };
}
