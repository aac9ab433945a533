import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sample, value } from '../../test/stats/arbitraries.ts';
import {
  type Adjustment,
  adjustPValues,
  adjustWeighted,
  bonferroniInterval,
  holmAdjust,
  intervalLevels,
  nonInferiorityAbsolute,
  nonInferiorityProportion,
  nonInferiorityRelative,
  scoreDifference,
  welchDifference,
} from './index.ts';

const METHODS: readonly Adjustment[] = [
  'bonferroni',
  'holm',
  'hochberg',
  'benjaminiHochberg',
  'benjaminiYekutieli',
];
const pValues = fc.array(fc.option(value(0, 1), { freq: 5 }), { maxLength: 12 });

describe.each(METHODS)('the adjustment %s', (method) => {
  it('never makes a p-value smaller, keeps their order, and leaves null alone', () => {
    fc.assert(
      fc.property(pValues, (list) => {
        const adjusted = adjustPValues(list, method);
        const pairs = list.map((p, i) => [p, adjusted[i] ?? null] as const);
        return pairs.every(([p, q]) => {
          if (p === null || q === null) return p === q;
          const isOrdered = pairs.every(
            ([p2, q2]) => p2 === null || q2 === null || p2 < p || q2 >= q,
          );
          return q >= p - 1e-15 && q <= 1 && isOrdered;
        });
      }),
    );
  });

  it('does not depend on the order', () => {
    fc.assert(
      fc.property(pValues, (list) => {
        const backwards = adjustPValues([...list].reverse(), method);
        expect([...backwards].reverse()).toEqual(adjustPValues(list, method));
      }),
    );
  });
});

describe('families', () => {
  it('are ordered by how much they ask', () => {
    fc.assert(
      fc.property(fc.array(value(0, 1), { minLength: 1, maxLength: 10 }), (list) => {
        const [bonferroni, holm, hochberg, bh] = METHODS.map((m) => adjustPValues(list, m));
        return list.every((_, i) => {
          const values = [bh, hochberg, holm, bonferroni].map((values) => values?.[i] ?? 0);
          return values.every((p, k) => p >= (values[k - 1] ?? 0) - 1e-15);
        });
      }),
    );
  });

  it('of nothing have no levels', () => {
    expect(intervalLevels([null], 0.05)).toBeNull();
    expect(holmAdjust([])).toEqual([]);
    expect(adjustWeighted([0.01, 0.01, null], [0.5, 0, 0.5])).toEqual([0.02, null, null]);
  });

  it('of one have the plain interval', () => {
    const interval = bonferroniInterval(
      { estimate: 1, se: 0.5, df: Number.POSITIVE_INFINITY },
      1,
      0.05,
    );
    expect(interval.status === 'ok' && interval.upper).toBeCloseTo(1 + 0.5 * 1.959963984540054, 12);
  });
});

describe('non-inferiority', () => {
  const options = { margin: 0, goodDirection: 'increase', alpha: 0.025 } as const;

  it('with no margin is one-sided superiority', () => {
    fc.assert(
      fc.property(sample, sample, (t, c) => {
        const test = nonInferiorityAbsolute(t, c, options);
        const welch = welchDifference(t, c, 0.05);
        if (test.status !== 'ok' || welch.status !== 'ok') return false;
        return test.pValue === welch.pValueGreater && test.oneSidedBound === welch.lower;
      }),
    );
  });

  it('holds exactly when the bound is better than the margin, in both directions', () => {
    const direction = fc.constantFrom<'increase' | 'decrease'>('increase', 'decrease');
    fc.assert(
      fc.property(sample, sample, value(0, 50), direction, (t, c, margin, goodDirection) => {
        const test = nonInferiorityAbsolute(t, c, { margin, goodDirection, alpha: 0.05 });
        if (test.status !== 'ok') return false;
        if (Math.abs(test.pValue - 0.05) < 1e-9) return true;
        const isBetter =
          goodDirection === 'increase' ? test.oneSidedBound > -margin : test.oneSidedBound < margin;
        return test.nonInferior === isBetter;
      }),
    );
  });

  it('is the same by a relative margin of the same size, but for the variance of the control', () => {
    const [t, c] = [
      { n: 400, mean: -9.8, variance: 4 },
      { n: 400, mean: -10, variance: 4 },
    ];
    const relative = nonInferiorityRelative(t, c, { ...options, margin: 0.05 });
    const absolute = nonInferiorityAbsolute(t, c, { ...options, margin: 0.5 });
    if (relative.status !== 'ok' || absolute.status !== 'ok') throw new Error('refused');
    expect(relative.flags).toEqual(['NEGATIVE_BASELINE']);
    expect(relative.t / absolute.t).toBeCloseTo(1, 1);
    expect(relative.nonInferior).toBe(true);
  });

  it('of rates mirrors when less is better', () => {
    const [t, c] = [
      { x: 30, n: 300 },
      { x: 25, n: 310 },
    ];
    const less = nonInferiorityProportion(t, c, {
      margin: 0.05,
      goodDirection: 'decrease',
      alpha: 0.05,
    });
    const more = nonInferiorityProportion(
      { x: 270, n: 300 },
      { x: 285, n: 310 },
      { margin: 0.05, goodDirection: 'increase', alpha: 0.05 },
    );
    if (less.status !== 'ok' || more.status !== 'ok') throw new Error('refused');
    expect(less.z).toBeCloseTo(more.z, 10);
    const superior = nonInferiorityProportion(t, c, options);
    const score = scoreDifference(t, c, 0.05);
    expect(superior.status === 'ok' && superior.z).toBe(score.status === 'ok' && score.z);
  });
});
