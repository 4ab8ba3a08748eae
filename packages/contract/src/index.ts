export * from './core/ids.ts';
export * from './core/money.ts';
export * from './core/problem.ts';
export * from './core/route.ts';
