import { describe, expect, it } from 'vitest';
import { EXPERIMENT_STATUSES } from '../lifecycle/transitions.ts';
import { bucketOf } from './buckets.ts';
import { decide, type EvaluableExperiment } from './decide.ts';

const control = { id: 1, key: 'control', from: 0, to: 5_000 };
const green = { id: 2, key: 'green', from: 5_000, to: 10_000 };
const running: EvaluableExperiment = {
  status: 'running',
  seed: 'seed',
  version: 3,
  variants: [control, green],
};
const bucket = bucketOf('u1', 'seed');
const hashed = bucket < 5_000 ? control : green;
const other = hashed === control ? green : control;

describe('decide', () => {
  it('gives a new user the variant that owns the bucket', () => {
    expect(decide(running, 'u1', undefined, undefined)).toEqual({
      variant: hashed,
      source: 'hash',
      reason: 'assigned',
      version: 3,
      bucket,
    });
  });

  it('keeps a stored assignment and its version, whatever the hash says now', () => {
    const stored = { variant: other, version: 1, source: 'hash' } as const;
    expect(decide(running, 'u1', undefined, stored)).toMatchObject({
      variant: other,
      source: 'db',
      version: 1,
    });
    const reported = { ...stored, source: 'reported' } as const;
    expect(decide(running, 'u1', undefined, reported).source).toBe('reported');
  });

  it('lets an override win over a stored assignment', () => {
    const stored = { variant: hashed, version: 1, source: 'hash' } as const;
    expect(decide(running, 'u1', other, stored)).toMatchObject({
      variant: other,
      source: 'override',
    });
  });

  it('assigns nobody new while paused, and keeps serving stored users and overrides', () => {
    const paused = { ...running, status: 'paused' } as const;
    const stored = { variant: hashed, version: 1, source: 'hash' } as const;
    expect(decide(paused, 'u1', undefined, undefined).reason).toBe('not_running');
    expect(decide(paused, 'u1', undefined, stored).variant).toBe(hashed);
    expect(decide(paused, 'u1', other, undefined).variant).toBe(other);
  });

  it.each(EXPERIMENT_STATUSES.filter((status) => status !== 'running' && status !== 'paused'))(
    'serves nobody when %s, not even an override',
    (status) => {
      const stored = { variant: hashed, version: 1, source: 'hash' } as const;
      expect(decide({ ...running, status }, 'u1', other, stored)).toMatchObject({
        variant: null,
        source: null,
        reason: 'not_running',
      });
    },
  );

  it('gives nobody the rest: a bucket that no variant owns is outside of the coverage', () => {
    const narrow = {
      ...running,
      variants: [
        { ...control, to: 0 },
        { ...green, to: 5_000 },
      ],
    };
    expect(decide(narrow, 'u1', undefined, undefined)).toMatchObject({
      variant: null,
      reason: 'outside_coverage',
      bucket,
    });
  });
});
