import { type AnalysisOptions, analyse } from '@assay/core/analysis';
import { describe, expect, it } from 'vitest';
import { splitOf } from '../../../test/results/splits.ts';
import { analysisInput, type Population } from './analysis-input.ts';
import { armsOf } from './arms.ts';
import { builtInMetric } from './built-ins.ts';
import type { Filter } from './metric.ts';
import { recommendationOf } from './recommendation.ts';

const END = '2026-01-15T00:00:00.000000Z';
const METRIC = builtInMetric('conversion_rate', undefined);
const OPTIONS: AnalysisOptions = {
  method: 'sequential',
  alpha: 0.05,
  minSample: 100,
  plannedUsers: null,
  isOver: false,
};

interface Made {
  /** Of the control and of the treatment, of whom every tenth, and every fifth, converts. */
  readonly users?: readonly [number, number];
  readonly shares?: readonly [number, number];
  readonly contextFilters?: readonly Filter[];
}

function recommended({ users = [2_000, 2_000], shares = [50, 50], contextFilters = [] }: Made) {
  const { variants } = splitOf([], [shares]);
  const arms = users.map((n, index) => ({
    variantId: index + 1,
    metric: METRIC.key,
    data: { kind: 'rate', n, x: (n * (index + 1)) / 10, joint: null } as const,
  }));
  const counted = users.map((count, index) => ({ variantId: index + 1, users: count }));
  const population: Population = {
    variants,
    uses: [
      {
        metric: METRIC,
        role: 'goal',
        margin: null,
        isAsked: true,
        decides: true,
      },
    ],
    arms: armsOf({ users: counted, arms, steps: [] }),
  };
  return recommendationOf(population, analyse(analysisInput(population, OPTIONS)), {
    question: { end: END, contextFilters },
    options: OPTIONS,
    srm: 'ok',
    blocks: [],
  });
}

const DE: Filter = { name: 'country', values: ['DE'] };
const NO_CONTROL = 'The control "control" has no share and gets no users: nothing can be compared.';

describe('a recommendation', () => {
  it('for a part of the users says that it is for no more', () => {
    const all = recommended({});
    expect(all).toMatchObject({ recommendation: 'ship', winner: 'blue' });
    const part = recommended({ contextFilters: [DE] });
    expect(part).toEqual({
      ...all,
      reasons: [
        ...all.reasons,
        'These are users with context.country = DE alone, chosen by the request: exploratory unless it was planned.',
      ],
    });
  });

  it('says of many conditions what fits in a sentence', () => {
    const filters: Filter[] = [
      { name: 'a', values: ['x', null, true] },
      { name: 'b', values: [1, 2, 3, 4] },
      { name: 'c', values: ['y'.repeat(1_000)] },
    ];
    const [said] = recommended({ contextFilters: filters }).reasons.slice(-1);
    expect(said).toContain(
      `users with context.a = x or missing or true and context.b = one of 4 values and context.c = ${'y'.repeat(40)}… alone`,
    );
  });

  it('where nobody is counted says of whom and up to when', () => {
    const users = [0, 0] as const;
    expect(recommended({ users })).toEqual({
      recommendation: 'no_data',
      winner: null,
      reasons: ['No user was assigned up to 2026-01-15T00:00:00Z.'],
    });
    expect(recommended({ users, contextFilters: [DE] }).reasons).toEqual([
      'No user who was assigned up to 2026-01-15T00:00:00Z has context.country = DE.',
    ]);
  });

  it('does not wait for a control without a share', () => {
    const shares = [0, 100] as const;
    const found = recommended({ users: [0, 500], shares });
    expect(found).toMatchObject({ recommendation: 'discuss', winner: null });
    expect(found.reasons[0]).toBe(NO_CONTROL);
    expect(recommended({ users: [99, 500], shares })).toMatchObject({ recommendation: 'discuss' });
    expect(recommended({ users: [0, 0], shares })).toMatchObject({
      recommendation: 'no_data',
      reasons: [expect.any(String), NO_CONTROL],
    });
    // One that has its users was closed on purpose.
    const closed = recommended({ shares });
    expect(closed).toMatchObject({ recommendation: 'ship', winner: 'blue' });
    expect(closed.reasons).not.toContain(NO_CONTROL);
  });
});
