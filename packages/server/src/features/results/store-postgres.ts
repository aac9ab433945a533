import { type Db, rfc3339 } from '../../platform/postgres.ts';
import { type SumsRow, toArms, toCaps, toUsers } from './arm-data.ts';
import { type FunnelRow, funnelsOf, toFunnels } from './funnel-rows.ts';
import {
  type PointRow,
  type SeriesPlan,
  type SpanRow,
  seriesPlanOf,
  toMetricSeries,
} from './metric-series.ts';
import { type Plan, planOf } from './plan.ts';
import { funnelsSql } from './postgres/funnels.ts';
import { armSumsSql, measuresSql, seriesSql } from './postgres/measures.ts';
import { seriesByAgeSql, seriesByDaySql } from './postgres/metric-series.ts';
import { quantilesSql } from './postgres/quantiles.ts';
import { scanStart } from './postgres/scan-start.ts';
import { allRows, askRow, type Frame, planForSets } from './postgres/sql.ts';
import { AS_OF, assignedSql, frameOf, usersSql, versionsSql } from './postgres/users.ts';
import { type QuantileRow, quantilePlanOf, toQuantiles } from './quantile-rows.ts';
import {
  type Answer,
  ARMS_MAX,
  type ArmStatistics,
  type AssignedRow,
  type MetricSeries,
  type MetricSeriesRow,
  type Question,
  type SeriesRow,
  type Statement,
} from './question.ts';
import { toVersions, type VersionRow } from './versions.ts';

export const STATEMENT_TIMEOUT_MS = 60_000;

interface AnswerRow extends Record<string, unknown> {
  readonly sums: readonly SumsRow[];
  readonly versions: readonly VersionRow[];
  readonly series: readonly SeriesRow[];
  readonly assigned: readonly AssignedRow[];
  readonly as_of: string;
}

/** Asks for one row by a statement of its own parameters. */
type Ask = <Row extends Record<string, unknown>>(text: (frame: Frame) => string) => Promise<Row>;

/**
 * Answers from PostgreSQL. To be called in a transaction of mode READ.
 *
 * @returns also the moment whose state was read, and the statements that read it
 */
export async function askPostgres(
  tx: Db,
  question: Question,
): Promise<Answer & { readonly asOf: string; readonly statements: readonly Statement[] }> {
  const deadline = performance.now() + STATEMENT_TIMEOUT_MS;
  await planForSets(tx);
  const statements: Statement[] = [];
  const ask: Ask = (text) => {
    const frame = frameOf(question);
    const sql = text(frame);
    statements.push({ sql, parameters: frame.values });
    return askRow(tx, sql, frame, deadline);
  };
  const plan = planOf(question.metrics);
  const from = await scanStart(tx, question, plan);
  const { sums, as_of: asOf, versions, ...rest } = await askMeasures(ask, question, plan, from);
  const base = {
    ...rest,
    users: toUsers(sums),
    versions: toVersions(versions),
    caps: toCaps(plan, sums),
    asOf,
    statements,
  };
  // A request for too many arms is refused: the rest is not worth asking.
  if (sums.length > ARMS_MAX) return { ...base, arms: [], steps: [], metricSeries: [] };
  const arms = toArms(plan, sums);
  const quantiles = await askQuantiles(ask, question);
  const funnels = await askFunnels(ask, question);
  return {
    ...base,
    arms: [...arms, ...quantiles, ...funnels.arms],
    steps: funnels.steps,
    metricSeries: await askSeries(ask, question, seriesPlanOf(question, arms, base.caps)),
  };
}

/** All that is a sum over events, in one statement: their join with users is most of the work. */
const askMeasures = (
  ask: Ask,
  question: Question,
  plan: Plan,
  from: string | null,
): Promise<AnswerRow> =>
  ask<AnswerRow>((frame) => {
    const expressions = [usersSql(question, frame), ...measuresSql(question, plan, frame, from)];
    return `WITH ${expressions.join(', ')}
      SELECT ${allRows(armSumsSql(question, plan))} AS sums,
        ${allRows(versionsSql(question))} AS versions,
        ${allRows(seriesSql(question, frame))} AS series,
        ${allRows(assignedSql(question, frame))} AS assigned,
        ${AS_OF} AS as_of`;
  });

async function askQuantiles(ask: Ask, question: Question): Promise<readonly ArmStatistics[]> {
  const plan = quantilePlanOf(question.metrics, question.alpha);
  if (plan.quantiles.length === 0) return [];
  const { rows } = await ask<{ rows: readonly QuantileRow[] }>(
    (frame) => `SELECT ${allRows(quantilesSql(question, plan, frame))} AS rows`,
  );
  return toQuantiles(plan, rows);
}

async function askFunnels(ask: Ask, question: Question): Promise<ReturnType<typeof toFunnels>> {
  const funnels = funnelsOf(question.metrics);
  if (funnels.length === 0) return toFunnels([], []);
  const { rows } = await ask<{ rows: readonly FunnelRow[] }>(
    (frame) => `SELECT ${allRows(funnelsSql(question, funnels, frame))} AS rows`,
  );
  return toFunnels(funnels, rows);
}

type Points = readonly PointRow[];
type Spans = readonly SpanRow[];

async function askSeries(
  ask: Ask,
  question: Question,
  plan: SeriesPlan,
): Promise<readonly MetricSeriesRow[]> {
  // Without a user there is no point, and no percentile to cut at.
  if (plan.plan.metrics.length === 0 || !plan.hasUsers) return [];
  const wanted = question.metricSeries;
  const rows: MetricSeriesRow[] = [];
  const add = (series: MetricSeries, points: Points, spans: Spans): void => {
    if (wanted.includes(series))
      rows.push(...toMetricSeries(series, question, plan, points, spans));
  };
  if (wanted.includes('cumulative') || wanted.includes('daily')) {
    const { cumulative, daily, spans } = await ask<{
      cumulative: Points;
      daily: Points;
      spans: Spans;
    }>((frame) => seriesByDaySql(question, plan, frame));
    add('cumulative', cumulative, spans);
    add('daily', daily, spans);
  }
  if (wanted.includes('days_since_assignment')) {
    const { points, spans } = await ask<{ points: Points; spans: Spans }>((frame) =>
      seriesByAgeSql(question, plan, frame),
    );
    add('days_since_assignment', points, spans);
  }
  return rows;
}

interface FirstRow extends Record<string, unknown> {
  readonly first: string | null;
}

/**
 * When the first user was assigned, RFC 3339 UTC, where that may be before the start: only who reports
 * exposures can set such times, and all other experiments need no look at every user. Null otherwise.
 */
export async function firstReported(db: Db, experimentId: number): Promise<string | null> {
  const { rows } = await db.query<FirstRow>(
    `SELECT (SELECT ${rfc3339('min(assigned_at)')} FROM assignments WHERE experiment_id = e.id) AS first
     FROM experiments e WHERE id = $1 AND has_reported`,
    [experimentId],
  );
  return rows[0]?.first ?? null;
}
