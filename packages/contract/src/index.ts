import { accessProblems, accessRoutes } from './access.ts';
import { accountsProblems, accountsRoutes } from './accounts.ts';
import { generalProblems, generalRoutes } from './core/general.ts';
import type { ProblemRow } from './core/problem.ts';
import type { Route } from './core/route.ts';

export * from './core/client.ts';
export * from './core/general.ts';
export * from './core/ids.ts';
export * from './core/money.ts';
export * from './core/problem.ts';
export * from './core/route.ts';
export * from './access.ts';
export * from './accounts.ts';

/** Every route of the API. */
export const allRoutes: readonly Route[] = [
  generalRoutes,
  accessRoutes,
  accountsRoutes,
].flatMap((routes) => Object.values<Route>(routes));

/** Every problem of the API, by code. */
export const allProblems: Readonly<Record<string, ProblemRow>> = {
  ...generalProblems,
  ...accessProblems,
  ...accountsProblems,
};
