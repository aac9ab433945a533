import { describe, expect, it } from 'vitest';
import type { ExperimentRecord, ExperimentVersion } from '../experiments/experiment.ts';
import { srmOf } from './srm.ts';

const experiment: ExperimentRecord = {
  id: 1,
  key: 'x',
  name: 'x',
  description: '',
  hypothesis: '',
  seed: 's',
  status: 'stopped',
  version: 3,
  coverage: 10_000,
  variants: ['control', 'blue', 'green'].map((key, position) => ({
    id: position + 1,
    position,
    key,
    name: key,
    allocation: position === 0 ? 2_000 : 4_000,
    isControl: position === 0,
    config: {},
  })),
  metrics: [],
  analysis: { confidence_level: 95, expected_users: null },
  startsAt: null,
  endsAt: null,
  createdAt: '2026-01-01T00:00:00.000000Z',
  updatedAt: '2026-01-01T00:00:00.000000Z',
  startedAt: '2026-01-01T00:00:00.000000Z',
  stoppedAt: null,
};

const version = (number: number, shares: readonly number[]): ExperimentVersion => ({
  version: number,
  coverage: 10_000,
  allocations: shares.map((allocation, index) => ({ variantId: index + 1, allocation })),
  effectiveAt: '2026-01-01T00:00:00.000000Z',
});

describe('the ratio check', () => {
  const versions = [version(2, [2_000, 4_000, 4_000]), version(3, [8_000, 2_000, 0])];
  const count = (number: number, variantId: number, users: number) => ({
    version: number,
    variantId,
    users,
  });

  it('expects of each version its own shares', () => {
    const counts = [
      count(2, 1, 200),
      count(2, 2, 400),
      count(2, 3, 400),
      count(3, 1, 790),
      count(3, 2, 210),
    ];
    const srm = srmOf(experiment, versions, counts);
    expect(srm).toMatchObject({
      status: 'ok',
      observed: [990, 610, 400],
      expected: [1_000, 600, 400],
    });
  });

  it('alarms where the split is another, and where an arm should be empty', () => {
    const skewed = [count(2, 1, 300), count(2, 2, 350), count(2, 3, 350)];
    expect(srmOf(experiment, versions, skewed).status).toBe('alarm');
    const unexpected = [count(3, 1, 80), count(3, 2, 20), count(3, 3, 1)];
    expect(srmOf(experiment, versions, unexpected).status).toBe('alarm');
  });

  it('says nothing of no users', () => {
    expect(srmOf(experiment, versions, [])).toMatchObject({
      status: 'not_enough_data',
      p_value: null,
      observed: [0, 0, 0],
    });
  });
});
