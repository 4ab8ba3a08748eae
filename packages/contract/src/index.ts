import { generalProblems, generalRoutes } from './core/general.ts';
import { accessProblems, accessRoutes } from './access.ts';
import { accountsProblems, accountsRoutes } from './accounts.ts';
import { catalogueProblems, catalogueRoutes } from './catalogue.ts';
import { closureProblems, closureRoutes } from './closure.ts';
import { inventoryProblems, inventoryRoutes } from './inventory.ts';
import { ledgerProblems, ledgerRoutes } from './ledger.ts';
import { lineProblems, lineRoutes } from './lines.ts';
import { notificationsProblems, notificationsRoutes } from './notifications.ts';
import { operationsProblems, operationsRoutes } from './operations.ts';
import { orderProblems, orderRoutes } from './orders.ts';
import { partnersProblems, partnersRoutes } from './partners.ts';
import { paymentsProblems, paymentsRoutes } from './payments.ts';
import { smdpProblems } from './smdp.ts';
import { transparencyProblems, transparencyRoutes } from './transparency.ts';
import { usageProblems, usageRoutes } from './usage.ts';
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
export * from './catalogue.ts';
export * from './closure.ts';
export * from './inventory.ts';
export * from './ledger.ts';
export * from './lines.ts';
export * from './notifications.ts';
export * from './operations.ts';
export * from './orders.ts';
export * from './partners.ts';
export * from './payments.ts';
export * from './smdp.ts';
export * from './transparency.ts';
export * from './usage.ts';

/** Every route of the API. */
export const allRoutes: readonly Route[] = [
  generalRoutes,
  accessRoutes,
  accountsRoutes,
  catalogueRoutes,
  closureRoutes,
  inventoryRoutes,
  ledgerRoutes,
  lineRoutes,
  notificationsRoutes,
  operationsRoutes,
  orderRoutes,
  partnersRoutes,
  paymentsRoutes,
  transparencyRoutes,
  usageRoutes,
].flatMap((routes) => Object.values<Route>(routes));

/** Every problem of the API, by code. */
export const allProblems: Readonly<Record<string, ProblemRow>> = {
  ...generalProblems,
  ...accessProblems,
  ...accountsProblems,
  ...catalogueProblems,
  ...closureProblems,
  ...inventoryProblems,
  ...ledgerProblems,
  ...lineProblems,
  ...notificationsProblems,
  ...operationsProblems,
  ...orderProblems,
  ...partnersProblems,
  ...paymentsProblems,
  ...smdpProblems,
  ...transparencyProblems,
  ...usageProblems,
};
