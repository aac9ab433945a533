import type { VariantResult, VersusControl } from '@assay/contract';
import { describe, expect, it } from 'vitest';
import type { ExperimentRecord, ExperimentVersion } from '../experiments/experiment.ts';
import { recommend, srmOf, type Verdict } from './summary.ts';

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

const versus = (difference: number, significant: boolean): VersusControl => ({
  difference,
  standard_error: 1,
  ci_lower: null,
  ci_upper: null,
  lift: difference / 10,
  lift_ci_lower: null,
  lift_ci_upper: null,
  p_value: significant ? 0.001 : 0.5,
  p_value_adjusted: null,
  significant,
  test: 'welch',
  status: 'ok',
});

/** Variants with the goals' comparisons of the two treatments. */
function variantsOf(
  blue: readonly VersusControl[],
  green: readonly VersusControl[],
  users: readonly number[] = [500, 500, 500],
): readonly VariantResult[] {
  return experiment.variants.map(({ id, key, isControl }, index) => {
    const comparisons = [[], blue, green][index] ?? [];
    const names = ['conversion_rate', 'value_per_user'];
    return {
      id,
      key,
      name: key,
      is_control: isControl,
      assigned_users: users[index] ?? 0,
      sufficient: (users[index] ?? 0) >= 100,
      metrics: Object.fromEntries(
        names.map((name, at) => [
          name,
          {
            value: 1,
            sample_size: 1,
            numerator: null,
            denominator: null,
            standard_error: null,
            ci_lower: null,
            ci_upper: null,
            lift_vs_control: null,
            vs_control: comparisons[at] ?? null,
          },
        ]),
      ),
      time_series: [],
    };
  });
}

const OK: Verdict['srm'] = { status: 'ok', p_value: 0.5, observed: [], expected: [] };

const verdict = (
  variants: readonly VariantResult[],
  changes: Partial<Omit<Verdict, 'variants'>> = {},
): Verdict => ({
  experiment,
  goals: ['conversion_rate', 'value_per_user'],
  srm: OK,
  nowMs: Date.parse('2026-02-01T00:00:00Z'),
  minSample: 100,
  ...changes,
  variants,
});

const running = (fields: Partial<ExperimentRecord> = {}): ExperimentRecord => ({
  ...experiment,
  status: 'running',
  ...fields,
});

const won = variantsOf([versus(1, true)], [versus(2, true)]);

describe('the verdict', () => {
  it('names the better of two winners once the experiment is over', () => {
    expect(recommend(verdict(won))).toMatchObject({
      winning_variant: 'green',
      recommendation: 'ship',
    });
  });

  it.each([
    ['running', running(), null],
    ['paused', running({ status: 'paused' }), null],
    ['running beyond its planned end', running({ endsAt: '2026-01-31T00:00:00Z' }), 'green'],
    ['running before its planned end', running({ endsAt: '2026-03-01T00:00:00Z' }), null],
    [
      'running with the planned users',
      running({ analysis: { confidence_level: 95, expected_users: 1_500 } }),
      'green',
    ],
    [
      'running with fewer',
      running({ analysis: { confidence_level: 95, expected_users: 1_501 } }),
      null,
    ],
  ])('when %s: %#', (_, record, winner) => {
    const { winning_variant, recommendation } = recommend(verdict(won, { experiment: record }));
    expect([winning_variant, recommendation]).toEqual([winner, winner ? 'ship' : 'keep_running']);
  });

  it('has no winner that is worse in another goal', () => {
    const mixed = variantsOf([versus(1, true), versus(-1, true)], [versus(-2, true)]);
    expect(recommend(verdict(mixed))).toMatchObject({
      winning_variant: null,
      recommendation: 'roll_back',
    });
  });

  it('has no winner in noise, with a broken split, or without a metric', () => {
    const noise = variantsOf([versus(1, false)], [versus(2, false)]);
    expect(recommend(verdict(noise)).recommendation).toBe('discuss');
    const alarm = recommend(verdict(won, { srm: { ...OK, status: 'alarm' } }));
    expect(alarm).toMatchObject({ winning_variant: null, recommendation: 'discuss' });
    expect(recommend(verdict(won, { goals: [] })).recommendation).toBe('discuss');
  });

  it('leaves a variant without enough users out, and says so', () => {
    const variants = variantsOf([versus(1, true)], [], [500, 500, 99]);
    const { winning_variant, reasons } = recommend(verdict(variants));
    expect(winning_variant).toBe('blue');
    expect(reasons.join(' ')).toContain('"green" has fewer than 100 users');
    const noControl = variantsOf([versus(1, true)], [versus(2, true)], [99, 500, 500]);
    expect(recommend(verdict(noControl)).winning_variant).toBeNull();
    const early = verdict(noControl, { experiment: running() });
    expect(recommend(early).recommendation).toBe('keep_running');
    expect(recommend(verdict(variantsOf([], [], [0, 0, 0]))).recommendation).toBe('no_data');
  });
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
