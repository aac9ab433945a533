import type { MetricDefinition } from '@assay/contract';
import { describe, expect, it } from 'vitest';
import { experimentRecord } from '../../../test/experiment-record.ts';
import type { ExperimentRecord, ExperimentVersion } from '../experiments/experiment.ts';
import { redefinitionsOf } from './redefinitions.ts';

const START = '2026-01-02';
const VERSION: ExperimentVersion = {
  version: 2,
  coverage: 10_000,
  allocations: [],
  effectiveAt: START,
  plan: null,
};
const BUYS: MetricDefinition = {
  key: 'buys',
  name: 'Buys',
  description: '',
  kind: 'count',
  event_type: 'buy',
  direction: 'increase',
  filters: { 'properties.plan': ['pro', 'team'] },
};

/** When a metric of an experiment got another meaning, by the days of its versions. */
function timesOf(
  days: Readonly<Record<string, Partial<MetricDefinition>>>,
  experiment: Partial<ExperimentRecord> = {},
) {
  const definitions = Object.entries(days).map(([createdAt, changed], index) => ({
    key: 'buys',
    version: index + 1,
    definition: { ...BUYS, ...changed },
    createdAt,
  }));
  const record = experimentRecord({ metrics: [{ metric: 'buys', role: 'goal' }], ...experiment });
  return redefinitionsOf(record, [VERSION], definitions).map(({ time }) => time);
}

describe('a goal is redefined', () => {
  it('where it means something else after the start, also when that is taken back', () => {
    const turned = { direction: 'decrease' } as const;
    expect(timesOf({ '2026-01-01': {}, '2026-01-03': turned, '2026-01-04': {} })).toEqual([
      '2026-01-03',
      '2026-01-04',
    ]);
    expect(timesOf({ '2025-12-01': {}, '2026-01-01': turned })).toEqual([]);
  });

  it("not by another name, nor by another order of a filter's values", () => {
    const reordered = { filters: { 'properties.plan': ['team', 'pro'] } };
    expect(timesOf({ '2026-01-01': {}, '2026-01-03': { name: 'Purchases' } })).toEqual([]);
    expect(timesOf({ '2026-01-01': {}, '2026-01-03': reordered })).toEqual([]);
    const fewer = { filters: { 'properties.plan': ['pro'] } };
    expect(timesOf({ '2026-01-01': {}, '2026-01-03': fewer })).toEqual(['2026-01-03']);
  });

  it('not for an experiment that was archived before, nor where it is secondary', () => {
    const days = { '2026-01-01': {}, '2026-01-05': { direction: 'decrease' } } as const;
    expect(timesOf(days, { status: 'archived', updatedAt: '2026-01-04' })).toEqual([]);
    expect(timesOf(days, { metrics: [{ metric: 'buys', role: 'secondary' }] })).toEqual([]);
  });
});
