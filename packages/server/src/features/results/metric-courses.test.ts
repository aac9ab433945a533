import { type AnalysisOptions, analyse } from '@assay/core/analysis';
import { wilsonInterval } from '@assay/core/stats';
import { describe, expect, it } from 'vitest';
import { splitOf } from '../../../test/results/splits.ts';
import { builtInMetric } from './built-ins.ts';
import { metricCourses } from './metric-courses.ts';
import type { MetricSeriesRow } from './question.ts';
import type { UsedMetric } from './use-metrics.ts';

const DAY = 86_400;
const { variants } = splitOf([], [[50, 50]]);
const metric = builtInMetric('conversion_rate', undefined);
const use: UsedMetric = {
  metric,
  role: 'goal',
  margin: null,
  isAsked: true,
  decides: true,
};
const OPTIONS: AnalysisOptions = {
  method: 'sequential',
  alpha: 0.05,
  minSample: 100,
  plannedUsers: 10_000,
  isOver: false,
};

/** Three days, at the end of which both variants have 1,000, 2,000 and 3,000 users. */
const rows = [1, 2, 3].flatMap((day): MetricSeriesRow[] =>
  variants.map(({ id }) => ({
    series: 'cumulative',
    metric: metric.key,
    variantId: id,
    at: day * DAY,
    data: { kind: 'rate', n: 1_000 * day, x: 100 * day, joint: null },
  })),
);

/** The points of the treatment, of these days in one of the series. */
function pointsOf(
  options: Partial<AnalysisOptions>,
  series: MetricSeriesRow['series'] = 'cumulative',
) {
  const of = rows.map((row): MetricSeriesRow => ({ ...row, series }));
  const [course] = metricCourses(variants, [use], of, { ...OPTIONS, ...options });
  return course?.points[1] ?? [];
}

/** How wide the interval of the difference is on each day. */
const widths = (options: Partial<AnalysisOptions>): readonly number[] =>
  pointsOf(options).map(
    ({ difference_ci_lower: lower, difference_ci_upper: upper }) => (upper ?? 0) - (lower ?? 0),
  );

/** How wide that of the treatment by itself is. */
const ownWidths = (...[options, series]: Parameters<typeof pointsOf>): readonly number[] =>
  pointsOf(options, series).map(
    ({ ci_lower: lower, ci_upper: upper }) => (upper ?? 0) - (lower ?? 0),
  );

describe('the cumulative series of an experiment with a plan', () => {
  it('keeps the bands of its days when it ends, and has what was left at the last alone', () => {
    for (const of of [widths, ownWidths]) {
      const running = of({});
      const ended = of({ isOver: true, endedAsPlanned: true });
      expect(running).toHaveLength(3);
      expect(ended.slice(0, 2)).toEqual(running.slice(0, 2));
      expect(ended[2]).toBeLessThan(running[2] ?? 0);
    }
  });
});

describe('the interval of one variant in a series', () => {
  /** Of one look at a tenth of the users. */
  const once = [1, 2, 3].map((day) => {
    const wilson = wilsonInterval({ x: 100 * day, n: 1_000 * day }, OPTIONS.alpha);
    return wilson.status === 'ok' ? wilson.upper - wilson.lower : 0;
  });

  it.each([null, 10_000])(
    'holds at all cumulative points together: %s users planned',
    (plannedUsers) => {
      const own = ownWidths({ plannedUsers });
      expect(own).toHaveLength(3);
      for (const [day, width] of own.entries())
        expect(width).toBeGreaterThan(1.3 * (once[day] ?? 1));
    },
  );

  it('is the one that is shown beside the series', () => {
    for (const plannedUsers of [null, 10_000]) {
      const data = rows.slice(-2).map((row) => row.data);
      const { metrics } = analyse({
        arms: variants.map((variant) => ({ ...variant, users: 3_000 })),
        metrics: [{ key: metric.key, role: 'goal', margin: null, direction: 'increase', data }],
        options: { ...OPTIONS, plannedUsers },
      });
      const last = pointsOf({ plannedUsers }).at(-1);
      const whole = metrics[0]?.arms[1];
      expect([last?.ci_lower, last?.ci_upper]).toEqual([whole?.lower, whole?.upper]);
    }
  });

  it.each(['daily', 'days_since_assignment'] as const)('is of one look: %s', (series) => {
    expect(ownWidths({}, series)).toEqual(once);
  });

  it.each(['fixed', 'bayesian'] as const)('is of one look by the method %s', (method) => {
    expect(ownWidths({ method })).toEqual(once);
  });
});
