import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../results/question.ts';
import { isSameSum, statisticsDifferences } from './statistics.ts';

const VARIANTS = [
  { id: 7, key: 'control' },
  { id: 9, key: 'green' },
];
const DAY = 86_400;

const ANSWER: Answer = {
  users: VARIANTS.map(({ id }) => ({ variantId: id, users: 40 })),
  arms: VARIANTS.flatMap(({ id }) => [
    { variantId: id, metric: 'buyers', data: { kind: 'rate', n: 40, x: 11, joint: null } },
    ...[null, 'null', 'US east'].map((segment) => ({
      variantId: id,
      segment,
      metric: 'buyers',
      data: { kind: 'rate' as const, n: 20, x: 5, joint: null },
    })),
  ]),
  steps: [{ variantId: 9, metric: 'path', users: [30, 20] }],
  caps: [
    {
      metric: 'spent',
      numerator: 0.1,
      denominator: null,
      numeratorBefore: null,
      denominatorBefore: null,
    },
  ],
  versions: [
    { version: 1, variantId: 7, users: 40 },
    { version: 1, variantId: 7, users: 15, day: DAY },
    { version: 1, variantId: 7, users: 20, segment: null },
  ],
  series: [{ variantId: 9, time: DAY, eventType: 'buy', count: 12, users: 11 }],
  assigned: [{ variantId: 9, time: DAY, users: 40 }],
  metricSeries: [
    {
      series: 'daily',
      metric: 'buyers',
      variantId: 9,
      at: DAY,
      data: { kind: 'rate', n: 40, x: 3, joint: null },
    },
    {
      series: 'days_since_assignment',
      metric: 'buyers',
      variantId: 9,
      at: 2,
      data: { kind: 'rate', n: 40, x: 3, joint: null },
    },
  ],
};

/** Every number one larger. */
const grown = <T>(value: T): T =>
  JSON.parse(
    JSON.stringify(value, (name, inner) =>
      typeof inner === 'number' && !['variantId', 'version', 'time', 'day', 'at'].includes(name)
        ? inner + 1
        : inner,
    ),
  );

describe('differences of sufficient statistics', () => {
  it('are none whatever the order of the rows', () => {
    const turned = Object.fromEntries(
      Object.entries(ANSWER).map(([name, rows]) => [name, [...rows].reverse()]),
    ) as unknown as Answer;
    expect(statisticsDifferences(VARIANTS, ANSWER, turned)).toEqual([]);
  });

  it('are named by what was counted, by metric, variant and segment', () => {
    const paths = statisticsDifferences(VARIANTS, ANSWER, grown(ANSWER)).map(({ path }) => path);
    expect(paths.filter((path) => !path.endsWith('.n'))).toEqual([
      'statistics.users.control',
      'statistics.users.green',
      'statistics.metrics.buyers.control.x',
      'statistics.metrics.buyers.control.segments[null].x',
      'statistics.metrics.buyers.control.segments.null.x',
      'statistics.metrics.buyers.control.segments["US east"].x',
      'statistics.metrics.buyers.green.x',
      'statistics.metrics.buyers.green.segments[null].x',
      'statistics.metrics.buyers.green.segments.null.x',
      'statistics.metrics.buyers.green.segments["US east"].x',
      'statistics.steps.path.green[0]',
      'statistics.steps.path.green[1]',
      'statistics.caps.spent.numerator',
      'statistics.series.daily.buyers.green["1970-01-02T00:00:00.000000Z"].x',
      'statistics.series.days_since_assignment.buyers.green[2].x',
      'statistics.versions[1].control',
      'statistics.versions[1].control["1970-01-02T00:00:00.000000Z"]',
      'statistics.versions[1].control.segments[null]',
      'statistics.events.green.buy["1970-01-02T00:00:00.000000Z"].count',
      'statistics.events.green.buy["1970-01-02T00:00:00.000000Z"].users',
      'statistics.assigned.green["1970-01-02T00:00:00.000000Z"]',
    ]);
  });

  it('tell what came and what went', () => {
    const less = { ...ANSWER, assigned: [] };
    const path = 'statistics.assigned.green["1970-01-02T00:00:00.000000Z"]';
    expect(statisticsDifferences(VARIANTS, ANSWER, less)).toEqual([{ path, stored: 40 }]);
    expect(statisticsDifferences(VARIANTS, less, ANSWER)).toEqual([{ path, recomputed: 40 }]);
  });

  it('are of counts exactly, and of sums but for their last digits', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (count) => {
        expect(isSameSum(count, count)).toBe(true);
        expect(isSameSum(count, count > 0 ? count - 1 : count + 1)).toBe(false);
      }),
    );
    const sums = fc.double({ noNaN: true, noDefaultInfinity: true, min: 1e-300, max: 1e300 });
    fc.assert(
      fc.property(
        sums.filter((sum) => !Number.isInteger(sum)),
        (sum) => {
          expect(isSameSum(sum, sum * (1 + 1e-12))).toBe(true);
          expect(isSameSum(sum, sum * (1 + 1e-8))).toBe(false);
        },
      ),
    );
    for (const other of [null, undefined, '1', true]) expect(isSameSum(1, other)).toBe(false);
    expect(isSameSum(0, 1e-12)).toBe(false);
  });
});
