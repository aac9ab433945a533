import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtInMetric } from './built-ins.ts';
import { type PointRow, seriesPlanOf, toMetricSeries } from './metric-series.ts';
import type { ArmStatistics, Question } from './question.ts';

const DAY = 86_400;
const START = Date.parse('2026-03-02T00:00:00Z') / 1000;
const METRICS = [
  builtInMetric('conversion_rate', ['buy']),
  builtInMetric('value_per_user', ['buy']),
];
const QUESTION: Question = {
  experimentId: 1,
  metrics: METRICS,
  start: '2026-03-02T06:00:00.000000Z',
  end: '2026-03-12T00:00:00.000000Z',
  // Asked when seven days are over, so the eighth has not begun.
  seriesEnd: '2026-03-09T00:00:00.000000Z',
  retentionFloor: '2026-01-01T00:00:00.000000Z',
  contextFilters: [],
  propertyFilters: [],
  segmentBy: null,
  alpha: 0.05,
  eventTypes: ['buy'],
  series: { bucket: 'day', start: '2026-03-02T00:00:00.000000Z' },
  metricSeries: [],
};
/** The answer for the whole time: a mean of 2 is the constant that sums are about. */
const WHOLE: readonly ArmStatistics[] = [
  { variantId: 1, metric: 'conversion_rate', data: { kind: 'rate', n: 2, x: 1, joint: null } },
  {
    variantId: 1,
    metric: 'value_per_user',
    data: { kind: 'mean', total: 4, moments: { n: 2, mean: [2], products: [[1]] } },
  },
];
const PLAN = seriesPlanOf(QUESTION, WHOLE, []);
const C = 2;

/** A user's day of assignment and what they spent on days from then on. */
const users = fc.array(
  fc.record({
    joined: fc.integer({ min: -2, max: 4 }),
    spent: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 5, maxLength: 5 }),
  }),
  { minLength: 1, maxLength: 12 },
);

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function momentsOf(values: readonly number[]) {
  const mean = sum(values) / values.length;
  return { n: values.length, mean, m2: sum(values.map((value) => (value - mean) ** 2)) };
}

/** Times of the days with users, also of those on which nobody joined or did anything. */
function daysWithUsers(all: readonly { readonly joined: number }[]): ReadonlySet<number> {
  const days = [0, 1, 2, 3, 4, 5, 6].filter((day) => all.some(({ joined }) => joined <= day));
  return new Set(days.map((day) => START + day * DAY));
}

function expectPoint(row: ReturnType<typeof toMetricSeries>[number], values: readonly number[]) {
  if (row.data.kind === 'rate') {
    const x = values.filter((value) => value > 0).length;
    expect(row.data).toEqual({ kind: 'rate', n: values.length, x, joint: null });
    return;
  }
  if (row.data.kind !== 'mean') throw new Error('no mean');
  const { n, mean, m2 } = momentsOf(values);
  expect(row.data.moments.n).toBe(n);
  expect(row.data.total).toBeCloseTo(sum(values), 9);
  expect(row.data.moments.mean[0]).toBeCloseTo(mean, 9);
  expect(row.data.moments.products[0]?.[0]).toBeCloseTo(m2, 6);
}

describe('series of metrics', () => {
  test('grow from day to day to what users have until then', () => {
    fc.assert(
      fc.property(users, (all) => {
        const until = ({ joined, spent }: (typeof all)[number], day: number): number =>
          sum(spent.filter((_, at) => at >= joined && at < day));
        const points = [0, 1, 2, 3, 4].flatMap((day): PointRow[] => {
          const grown = all.map((user) => [until(user, day), until(user, day + 1)] as const);
          const own = grown.filter(([before, after]) => before !== after);
          if (own.length === 0) return [];
          const growth = (of: (total: number) => number): number =>
            sum(own.map(([before, after]) => of(after) - of(before)));
          const numbers = [
            growth((total) => Math.min(total, 1)),
            growth((total) => total),
            growth((total) => total - C),
            growth((total) => (total - C) ** 2),
          ];
          return [{ variant_id: 1, at: START + day * DAY, users: own.length, numbers }];
        });
        const spans = all.map(({ joined }) => ({
          variant_id: 1,
          users: 1,
          from_at: START + joined * DAY,
          to_at: null,
        }));
        const rows = toMetricSeries('cumulative', QUESTION, PLAN, points, spans);
        expect(new Set(rows.map(({ at }) => at))).toEqual(daysWithUsers(all));
        for (const row of rows) {
          const day = (row.at - START) / DAY;
          const there = all.filter(({ joined }) => joined <= day);
          expectPoint(
            row,
            there.map((user) => until(user, day + 1)),
          );
          expect(day).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test('count users without anything as zeros, day by day', () => {
    fc.assert(
      fc.property(users, (all) => {
        const points = [0, 1, 2, 3, 4].flatMap((day): PointRow[] => {
          const own = all
            .filter(({ joined }) => joined <= day)
            .map(({ spent }) => spent[day] ?? 0)
            .filter((value) => value > 0);
          if (own.length === 0) return [];
          const { n, mean, m2 } = momentsOf(own);
          const numbers = [own.length, sum(own), mean, m2 / n];
          return [{ variant_id: 1, at: START + day * DAY, users: n, numbers }];
        });
        const spans = all.map(({ joined }) => ({
          variant_id: 1,
          users: 1,
          from_at: START + joined * DAY,
          to_at: null,
        }));
        const rows = toMetricSeries('daily', QUESTION, PLAN, points, spans);
        expect(new Set(rows.map(({ at }) => at))).toEqual(daysWithUsers(all));
        for (const row of rows) {
          const day = (row.at - START) / DAY;
          const there = all.filter(({ joined }) => joined <= day);
          expectPoint(
            row,
            there.map(({ spent }) => spent[day] ?? 0),
          );
        }
      }),
    );
  });

  test('have users only in the days they lived to', () => {
    const spans = [
      { variant_id: 1, users: 3, from_at: 0, to_at: 2 },
      { variant_id: 1, users: 2, from_at: 1, to_at: 4 },
    ];
    const points = [{ variant_id: 1, at: 1, users: 1, numbers: [1, 8, 8, 0] }];
    const rows = toMetricSeries('days_since_assignment', QUESTION, PLAN, points, spans);
    expect(rows.map(({ at, metric, data }) => [at, metric, data.kind === 'rate' && data])).toEqual([
      [0, 'conversion_rate', { kind: 'rate', n: 3, x: 0, joint: null }],
      [0, 'value_per_user', false],
      [1, 'conversion_rate', { kind: 'rate', n: 5, x: 1, joint: null }],
      [1, 'value_per_user', false],
      [2, 'conversion_rate', { kind: 'rate', n: 2, x: 0, joint: null }],
      [2, 'value_per_user', false],
      [3, 'conversion_rate', { kind: 'rate', n: 2, x: 0, joint: null }],
      [3, 'value_per_user', false],
    ]);
    expect(rows[3]?.data).toMatchObject({ total: 8, moments: { n: 5 } });
  });

  test('begin with the first user, and need one', () => {
    expect(toMetricSeries('daily', QUESTION, PLAN, [], [])).toEqual([]);
    const spans = [{ variant_id: 1, users: 1, from_at: START + 2 * DAY, to_at: null }];
    const rows = toMetricSeries('cumulative', QUESTION, PLAN, [], spans);
    const days = [2, 3, 4, 5, 6].map((day) => START + day * DAY);
    expect(new Set(rows.map(({ at }) => at))).toEqual(new Set(days));
  });

  const ends: [string, number][] = [
    ['2026-03-05T00:00:00.000000Z', 2],
    ['2026-03-05T00:00:00.000001Z', 3],
    ['2026-03-05T23:59:59.999999Z', 3],
    ['2026-03-01T00:00:00.000000Z', 0],
  ];
  test.each(ends)('end with the day that is going on at %s', (seriesEnd, last) => {
    const question = { ...QUESTION, seriesEnd };
    const spans = [{ variant_id: 1, users: 1, from_at: START, to_at: null }];
    for (const series of ['daily', 'cumulative'] as const) {
      const rows = toMetricSeries(series, question, PLAN, [], spans);
      expect(rows.at(-1)?.at).toBe(START + last * DAY);
    }
  });

  test('leave out nothing that was counted after the moment of asking', () => {
    const question = { ...QUESTION, seriesEnd: '2026-03-03T00:00:00.000000Z' };
    const spans = [{ variant_id: 1, users: 1, from_at: START, to_at: null }];
    const points = [{ variant_id: 1, at: START + 3 * DAY, users: 1, numbers: [1, 8, 8, 0] }];
    const rows = toMetricSeries('daily', question, PLAN, points, spans);
    expect(rows.at(-1)).toMatchObject({ at: START + 3 * DAY, data: { total: 8 } });
    // Of the days between nobody knows yet that nothing happened.
    expect(new Set(rows.map(({ at }) => at))).toEqual(new Set([START, START + 3 * DAY]));
  });
});
