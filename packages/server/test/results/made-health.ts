import type { ResultsHealth } from '@assay/contract';
import { type AnalysisOptions, type ArmData, analyse } from '@assay/core/analysis';
import { analysisInput, type Population } from '../../src/features/results/analysis-input.ts';
import { armsOf } from '../../src/features/results/arms.ts';
import { builtInMetric } from '../../src/features/results/built-ins.ts';
import type { Sourced } from '../../src/features/results/choose-source.ts';
import type { Conflicts } from '../../src/features/results/health/conflicts.ts';
import { healthOf } from '../../src/features/results/health/health.ts';
import type { ResolvedMetric } from '../../src/features/results/metric.ts';
import type { Question } from '../../src/features/results/question.ts';
import type { UsedMetric } from '../../src/features/results/use-metrics.ts';
import { experimentRecord } from '../experiment-record.ts';
import { type Cell, FIRST_DAY, splitOf } from './splits.ts';

/** A result of a control and a treatment, of which everything is well unless it says otherwise. */
export interface Made {
  readonly cells?: readonly Cell[];
  readonly metric?: ResolvedMetric;
  readonly role?: UsedMetric['role'];
  /** Of the control and of the treatment. */
  readonly data?: readonly [ArmData, ArmData];
  readonly sourced?: Partial<Sourced>;
  readonly conflicts?: Conflicts;
  readonly quarantined?: number;
  readonly minSample?: number;
  readonly question?: Partial<Question>;
}

export const END = '2026-01-15T00:00:00.000000Z';
export const rate = (n: number, x: number): ArmData => ({ kind: 'rate', n, x, joint: null });

/** The health of such a result. */
export function healthOfMade(made: Made): ResultsHealth {
  const { cells = [{ day: 0, users: [500, 505] }], metric = builtInMetric('conversion_rate', []) } =
    made;
  const split = splitOf(cells, [[50, 50]]);
  const options: AnalysisOptions = {
    method: 'fixed',
    alpha: 0.05,
    minSample: made.minSample ?? 100,
    plannedUsers: null,
    isOver: true,
  };
  const users = split.variants.map(({ id }) => ({
    variantId: id,
    users: split.counts
      .filter((row) => row.variantId === id && row.day !== undefined)
      .reduce((sum, row) => sum + row.users, 0),
  }));
  const [control, treatment] = made.data ?? [rate(500, 50), rate(505, 60)];
  const answer = {
    users,
    arms: [control, treatment].map((data, index) => ({
      variantId: index + 1,
      metric: metric.key,
      data,
    })),
    steps: [],
    caps: [],
    versions: split.counts,
    series: [],
    assigned: [{ variantId: 1, time: FIRST_DAY, users: 1 }],
    metricSeries: [],
  };
  const experiment = experimentRecord({ variants: split.variants });
  const question: Question = {
    experimentId: 1,
    metrics: [metric],
    start: '2026-01-05T00:00:00.000000Z',
    end: END,
    seriesEnd: END,
    retentionFloor: '2025-01-01T00:00:00.000000Z',
    contextFilters: [],
    propertyFilters: [],
    segmentBy: null,
    alpha: 0.05,
    eventTypes: undefined,
    series: { bucket: 'day', start: '2026-01-05T00:00:00.000000Z' },
    metricSeries: [],
    ...made.question,
  };
  const sourced: Sourced = {
    answer,
    statements: [],
    source: 'clickhouse',
    asOf: '2026-01-14T23:59:59.500000Z',
    lagMs: 500,
    ...made.sourced,
  };
  const uses: UsedMetric[] = [
    {
      metric,
      role: made.role ?? 'goal',
      margin: null,
      isAsked: true,
      decides: true,
    },
  ];
  const population: Population = { variants: split.variants, uses, arms: armsOf(answer) };
  const trouble = {
    conflicts: made.conflicts ?? { assigned: 0, unassigned: 0 },
    quarantined: made.quarantined ?? 0,
  };
  return healthOf(
    {
      experiment,
      versions: split.versions,
      question,
      sourced,
      trouble,
      redefinitions: [],
      options,
    },
    population,
    analyse(analysisInput(population, options)),
  );
}
