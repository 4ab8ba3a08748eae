export * from './schema.ts';
export * from './primitives.ts';
