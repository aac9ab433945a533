export * from './assignments.ts';
export * from './common.ts';
export * from './errors.ts';
export * from './experiments.ts';
export * from './ingest.ts';
export * from './operations.ts';
export * from './results.ts';
export * from './tokens.ts';
