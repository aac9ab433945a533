import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { input, metric, rate } from '../../test/analysis/inputs.ts';
import { analyse } from './analyse.ts';
import { minimumDetectableEffect } from './detectable-effect.ts';
import { recommend } from './recommend.ts';
import type { AnalysisInput, AnalysisMetric, ArmData } from './types.ts';

// Whatever comes from a store, every number that is shown is one, or null.

/** Where a number of the output is none; null when all are fine. */
function faultIn(found: unknown, path = ''): string | null {
  if (typeof found === 'number') return Number.isFinite(found) ? null : `${path} is ${found}`;
  if (typeof found !== 'object' || found === null) return null;
  for (const [key, value] of Object.entries(found)) {
    const fault = faultIn(value, `${path}.${key}`);
    if (fault !== null) return fault;
  }
  return null;
}

const METHODS = ['fixed', 'sequential', 'bayesian'] as const;

const number = fc.oneof(
  fc.double(),
  fc.integer({ min: 0, max: 2000 }),
  fc.constantFrom(0, 1, -1, 1e-300, -1e300, 1e9, 2 ** 60, Number.NaN, Number.POSITIVE_INFINITY),
);
const count = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.constant(1_000_000_000), number);

/** Moments of rows: some possible, some not even of the right shape. */
const moments = (width: number) =>
  fc.record({
    n: count,
    mean: fc.array(number, { minLength: 0, maxLength: width }),
    products: fc.array(fc.array(number, { maxLength: width }), { maxLength: width }),
  });

/** Moments that are possible, of values on any scale. */
const possible = (width: number) =>
  fc
    .record({
      n: fc.integer({ min: 2, max: 100_000 }),
      scale: fc.constantFrom(1e-200, 1e-9, 1, 1e9, 1e150),
      mean: fc.array(fc.double({ min: -5, max: 5, noNaN: true }), {
        minLength: width,
        maxLength: width,
      }),
      spread: fc.double({ min: 0, max: 3, noNaN: true }),
    })
    .map(({ n, scale, mean, spread }) => ({
      n,
      mean: mean.map((value) => value * scale),
      products: mean.map((_, i) =>
        mean.map((_, j) => (i === j ? 1 : 0.5) * n * (spread * scale) ** 2),
      ),
    }));

const rateData = fc.record({
  kind: fc.constant('rate' as const),
  n: count,
  x: count,
  joint: fc.oneof(fc.constant(null), moments(2), possible(2)),
});
const meanData = fc.record({
  kind: fc.constant('mean' as const),
  total: number,
  moments: fc.oneof(moments(2), possible(1), possible(2)),
});
const ratioData = fc.record({
  kind: fc.constant('ratio' as const),
  numerator: number,
  denominator: number,
  about: number,
  aboutBefore: number,
  moments: fc.oneof(moments(4), possible(2), possible(4)),
});
const quantileData = fc.record({
  kind: fc.constant('quantile' as const),
  p: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), number),
  users: count,
  clusters: count,
  events: count,
  value: fc.oneof(number, fc.constant(null)),
  lower: fc.oneof(number, fc.constant(null)),
  upper: fc.oneof(number, fc.constant(null)),
  sums: fc.record({
    below: number,
    belowSquares: number,
    eventsSquares: number,
    product: number,
  }),
});
const data: fc.Arbitrary<ArmData> = fc.oneof(rateData, meanData, ratioData, quantileData);

const metrics: fc.Arbitrary<AnalysisMetric> = fc.record({
  key: fc.string(),
  role: fc.constantFrom('goal', 'secondary', 'guardrail'),
  margin: fc.oneof(fc.constant(null), fc.constant(0.05), number),
  direction: fc.constantFrom('increase', 'decrease'),
  data: fc.oneof(
    ...[rateData, meanData, ratioData, quantileData, data].map((kind) =>
      fc.array(kind as fc.Arbitrary<ArmData>, { maxLength: 4 }),
    ),
  ),
});

const inputs: fc.Arbitrary<AnalysisInput> = fc.record({
  arms: fc.array(fc.record({ key: fc.string(), isControl: fc.boolean(), users: count }), {
    maxLength: 4,
  }),
  metrics: fc.array(metrics, { maxLength: 3 }),
  options: fc.record({
    method: fc.constantFrom(...METHODS),
    alpha: fc.oneof(fc.constantFrom(0.05, 0.01), number),
    minSample: fc.oneof(fc.constant(100), number),
    plannedUsers: fc.oneof(fc.constant(null), number),
    isOver: fc.boolean(),
    endedAsPlanned: fc.boolean(),
  }),
});

describe('whatever is analysed', () => {
  it('gives finite numbers or null', () => {
    fc.assert(
      fc.property(inputs, (given) => {
        const analysis = analyse(given);
        const { arms, options } = given;
        recommend({
          analysis,
          arms,
          method: options.method,
          minSample: 100,
          srm: 'ok',
          blocks: [],
        });
        expect(faultIn({ analysis, effect: minimumDetectableEffect(analysis) })).toBeNull();
      }),
      { numRuns: 1500 },
    );
  });

  it('decides the same whatever the order of the metrics and of the other arms', () => {
    const arms = [rate(900, 90), rate(900, 130), rate(900, 80), rate(900, 100)];
    const [control, ...treatments] = arms;
    if (control === undefined) throw new Error('no control');
    const given = input([metric(arms), metric([control, ...treatments].reverse(), { key: 'r' })]);
    const [a] = analyse(given).metrics;
    const reversed = input([metric([control, ...treatments.reverse()])]);
    const [b] = analyse(reversed).metrics;
    expect(b?.comparisons[3]?.pValue).toBe(a?.comparisons[1]?.pValue);
  });
});
