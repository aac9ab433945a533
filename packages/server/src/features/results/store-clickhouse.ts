import type { ClickHouse } from '../../platform/clickhouse.ts';
import { type SumsRow, toArms, toCaps, toUsers } from './arm-data.ts';
import { funnelsSql } from './clickhouse/funnels.ts';
import { armSumsSql, seriesSql } from './clickhouse/measures.ts';
import {
  ageUsersSql,
  byAgeSql,
  cumulativeSql,
  dailySql,
  dayUsersSql,
} from './clickhouse/metric-series.ts';
import { type QuantilesOfArm, quantilesSql, toQuantileRows } from './clickhouse/quantiles.ts';
import { askRows, type Frame, withSettings } from './clickhouse/sql.ts';
import { assignedSql, frameOf, versionsSql } from './clickhouse/users.ts';
import { type FunnelRow, funnelsOf, toFunnels } from './funnel-rows.ts';
import {
  type PointRow,
  type SeriesPlan,
  type SpanRow,
  seriesPlanOf,
  toMetricSeries,
} from './metric-series.ts';
import { planOf } from './plan.ts';
import { quantilePlanOf, toQuantiles } from './quantile-rows.ts';
import {
  type Answer,
  ARMS_MAX,
  type ArmStatistics,
  type AssignedRow,
  type MetricSeriesRow,
  type Question,
  type SeriesRow,
  type Statement,
} from './question.ts';
import { toVersions, type VersionRow } from './versions.ts';

/** Asks for rows by a statement of its own parameters. */
type Ask = <Row>(select: (frame: Frame) => string) => Promise<readonly Row[]>;

/** Answers from ClickHouse, whose statements run side by side; `statements`: those that it ran. */
export async function askClickHouse(
  clickhouse: ClickHouse,
  question: Question,
): Promise<Answer & { readonly statements: readonly Statement[] }> {
  const statements: Statement[] = [];
  const ask: Ask = (select) => {
    const frame = frameOf(question);
    const sql = withSettings(select(frame));
    statements.push({ sql, parameters: frame.values });
    return askRows(clickhouse, sql, frame);
  };
  const plan = planOf(question.metrics);
  const [sums, versions, series, assigned, quantiles, funnels] = await Promise.all([
    ask<SumsRow>((frame) => armSumsSql(question, plan, frame)),
    ask<VersionRow>((frame) => versionsSql(question, frame)),
    ask<SeriesRow>((frame) => seriesSql(question, frame)),
    ask<AssignedRow>((frame) => assignedSql(question, frame)),
    askQuantiles(ask, question),
    askFunnels(ask, question),
  ]);
  const caps = toCaps(plan, sums);
  const base = {
    users: toUsers(sums),
    caps,
    versions: toVersions(versions),
    series,
    assigned,
    statements,
  };
  // A request for too many arms is refused: the rest is not worth computing.
  if (sums.length > ARMS_MAX) return { ...base, arms: [], steps: [], metricSeries: [] };
  const arms = toArms(plan, sums);
  return {
    ...base,
    arms: [...arms, ...quantiles, ...funnels.arms],
    steps: funnels.steps,
    metricSeries: await askSeries(ask, question, seriesPlanOf(question, arms, caps)),
  };
}

async function askQuantiles(ask: Ask, question: Question): Promise<readonly ArmStatistics[]> {
  const plan = quantilePlanOf(question.metrics, question.alpha);
  if (plan.quantiles.length === 0) return [];
  const rows = await ask<QuantilesOfArm>((frame) => quantilesSql(question, plan, frame));
  return toQuantiles(plan, toQuantileRows(rows, plan));
}

async function askFunnels(ask: Ask, question: Question): Promise<ReturnType<typeof toFunnels>> {
  const funnels = funnelsOf(question.metrics);
  if (funnels.length === 0) return toFunnels([], []);
  const rows = await ask<FunnelRow>((frame) => funnelsSql(question, funnels, frame));
  return toFunnels(funnels, rows);
}

const STATEMENTS = {
  cumulative: { points: cumulativeSql, spans: dayUsersSql },
  daily: { points: dailySql, spans: dayUsersSql },
  days_since_assignment: { points: byAgeSql, spans: ageUsersSql },
} as const;

async function askSeries(
  ask: Ask,
  question: Question,
  plan: SeriesPlan,
): Promise<readonly MetricSeriesRow[]> {
  // Without a user there is no point, and no percentile to cut at.
  if (plan.plan.metrics.length === 0 || !plan.hasUsers) return [];
  const all = question.metricSeries.map(async (series) => {
    const { points, spans } = STATEMENTS[series];
    const [pointRows, spanRows] = await Promise.all([
      ask<PointRow>((frame) => points(question, plan, frame)),
      ask<SpanRow>((frame) => spans(question, frame)),
    ]);
    return toMetricSeries(series, question, plan, pointRows, spanRows);
  });
  return (await Promise.all(all)).flat();
}
