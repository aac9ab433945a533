import type { AnalysisOptions } from '@assay/core/analysis';
import { describe, expect, it } from 'vitest';
import { splitOf } from '../../../test/results/splits.ts';
import { builtInMetric } from './built-ins.ts';
import { metricCourses } from './metric-courses.ts';
import type { MetricSeriesRow } from './question.ts';
import type { UsedMetric } from './use-metrics.ts';

const DAY = 86_400;
const { variants } = splitOf([], [[50, 50]]);
const metric = builtInMetric('conversion_rate', undefined);
const use: UsedMetric = { metric, role: 'goal', margin: null, isAsked: true, decides: true };
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

/** How wide the interval of the difference is on each day. */
function widths(options: Partial<AnalysisOptions>): readonly number[] {
  const [course] = metricCourses(variants, [use], rows, { ...OPTIONS, ...options });
  const points = course?.points[1] ?? [];
  return points.map(
    ({ difference_ci_lower: lower, difference_ci_upper: upper }) => (upper ?? 0) - (lower ?? 0),
  );
}

describe('the cumulative series of an experiment with a plan', () => {
  it('keeps the band of its days when it ends, and has what was left at the last alone', () => {
    const running = widths({});
    const ended = widths({ isOver: true, endedAsPlanned: true });
    expect(running).toHaveLength(3);
    expect(ended.slice(0, 2)).toEqual(running.slice(0, 2));
    expect(ended[2]).toBeLessThan(running[2] ?? 0);
  });
});
