export { createHttp } from './build.ts';
export type { Http, HttpLimits, HttpOptions } from './build.ts';
export { createAttempts, sweepRequests } from './attempts.ts';
export type { AttemptLimit, Attempts } from './attempts.ts';
export { cursorOf, pageOf, readCursor } from './cursor.ts';
export { describeApi } from './openapi.ts';
export { languageOf } from './language.ts';
export { endpoint } from './types.ts';
export type { Authenticator, Call, Endpoint, Principal } from './types.ts';
