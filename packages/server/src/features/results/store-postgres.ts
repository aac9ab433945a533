import { must } from '../../errors.ts';
import type { Db } from '../../platform/postgres.ts';
import {
  type Answer,
  type AssignedRow,
  type Bucket,
  type Filter,
  type Question,
  SERIES_ROWS_MAX,
  type SeriesRow,
  type VariantQuantiles,
  type VersionCount,
} from './question.ts';
import { type SumsRow, TINY, toSums } from './sums-row.ts';

const STATEMENT_TIMEOUT_MS = 60_000;

/** Text with `$n` placeholders and their values. */
interface Sql {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Conditions on a jsonb column. `@>`-free, so that 1 and 1.0 are equal and "1" is another. */
function filterSql(column: string, filters: readonly Filter[], values: unknown[]): string {
  return filters
    .map(({ name, values: wanted }) => {
      values.push(name);
      const key = `$${values.length}`;
      values.push(wanted.map((value) => JSON.stringify(value)));
      const isOneOf = `${column} -> ${key} = ANY ($${values.length}::jsonb[])`;
      return wanted.includes(null)
        ? ` AND (${isOneOf} OR ${column} -> ${key} IS NULL)`
        : ` AND ${isOneOf}`;
    })
    .join('');
}

/** The users who are counted, and their events that are, as two common table expressions. */
function counted(question: Question): Sql {
  const values: unknown[] = [question.experimentId, question.start, question.end];
  const users = `SELECT user_id, variant_id, version, assigned_at FROM assignments
     WHERE experiment_id = $1 AND assigned_at <= $3::timestamptz
     ${filterSql('context', question.contextFilters, values)}`;
  let types = '';
  if (question.eventTypes !== undefined) {
    values.push(question.eventTypes);
    types = ` AND e.type = ANY ($${values.length}::text[])`;
  }
  const properties = filterSql('e.properties', question.propertyFilters, values);
  const events = `SELECT u.user_id, u.variant_id, e.type, e.ts, e.value
     FROM events e JOIN users u ON u.user_id = e.user_id
     WHERE e.ts >= $2::timestamptz AND e.ts <= $3::timestamptz AND e.ts >= u.assigned_at
       AND (e.experiment_id IS NULL OR e.experiment_id = $1)${types}${properties}`;
  return {
    text: `WITH users AS MATERIALIZED (${users}), counted AS MATERIALIZED (${events})`,
    values,
  };
}

/** In single precision; what that could not hold is zero, since PostgreSQL would fail. */
const single = (sql: string): string =>
  `CASE WHEN abs(${sql}) < 1e-37 THEN 0 ELSE (${sql})::real::float8 END`;

const SUMS = `,
  per_user AS MATERIALIZED (
    SELECT u.variant_id, coalesce(c.events, 0)::float8 AS events,
      coalesce(c.valued, 0)::float8 AS valued, CASE WHEN abs(c.total) >= ${TINY} THEN c.total ELSE 0 END AS total
    FROM users u LEFT JOIN (
      SELECT user_id, count(*) AS events, count(value) AS valued, sum(value) AS total
      FROM counted GROUP BY user_id) c USING (user_id)),
  -- Near the mean, so that squares keep their digits; in single precision, so that both stores
  -- choose the same number though their sums differ in the last bits.
  shift AS (SELECT ${single('avg(events)')} AS e, ${single('avg(valued)')} AS d,
                   ${single('avg(total)')} AS t,
                   ${single('coalesce(sum(total) / nullif(sum(valued), 0), 0)')} AS r FROM per_user)
  SELECT variant_id, count(*)::float8 AS users, count(*) FILTER (WHERE events > 0)::float8 AS converters,
    sum(events) AS events, sum(valued) AS valued, sum(total) AS total,
    sum(events - e) AS events_deviation, sum((events - e) ^ 2) AS events_squares,
    sum(total - t) AS total_deviation, sum((total - t) ^ 2) AS total_squares,
    sum(valued - d) AS valued_deviation, sum((valued - d) ^ 2) AS valued_squares,
    sum(total - r * valued) AS residual, sum((total - r * valued) ^ 2) AS residual_squares,
    sum((total - r * valued) * (valued - d)) AS residual_product, min(r) AS shift_ratio,
    min(e) AS shift_events, min(t) AS shift_total, min(d) AS shift_valued
  FROM per_user, shift GROUP BY variant_id`;

/** Answers from PostgreSQL. To be called in a transaction of mode READ. */
export async function askPostgres(
  tx: Db,
  question: Question,
): Promise<Answer & { readonly asOf: string }> {
  await tx.query(`SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
  await tx.query(`SET LOCAL work_mem = '128MB'`);
  // Whole sets are joined, and a planner without fresh statistics would take them for a few rows:
  // 21 s by nested loops against 0.2 s by hashing, with 6,325 users just loaded.
  await tx.query('SET LOCAL enable_nestloop = off');
  const { text, values } = counted(question);
  const ask = async <Row extends Record<string, unknown>>(
    rest: string,
    extra: readonly unknown[] = [],
  ) =>
    (
      await tx.query<Row>({
        text: text + rest,
        values: [...values, ...extra],
        query_timeout: STATEMENT_TIMEOUT_MS + 2_000,
      })
    ).rows;

  const sums = await ask<SumsRow>(SUMS);
  const quantiles = question.needsQuantiles
    ? await ask<VariantQuantiles & Record<string, unknown>>(
        ` SELECT variant_id AS "variantId",
            percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median,
            percentile_cont(0.95) WITHIN GROUP (ORDER BY value) AS p95
          FROM counted WHERE value IS NOT NULL GROUP BY variant_id`,
      )
    : [];
  const versions = await ask<VersionCount & Record<string, unknown>>(
    ` SELECT version, variant_id AS "variantId", count(*)::float8 AS users
      FROM users GROUP BY version, variant_id`,
  );
  const at = values.length + 1;
  const series = await ask<SeriesRow & Record<string, unknown>>(
    ` SELECT variant_id AS "variantId", ${startOf('ts', question.series.bucket)} AS time,
        type AS "eventType", count(*)::float8 AS count, count(DISTINCT user_id)::float8 AS users
      FROM counted WHERE ts >= $${at}::timestamptz
      GROUP BY 1, 2, 3 ORDER BY 2, 3, 1 LIMIT ${SERIES_ROWS_MAX + 1}`,
    [question.series.start],
  );
  const assigned = await ask<AssignedRow & Record<string, unknown>>(
    ` SELECT variant_id AS "variantId", ${startOf('assigned_at', question.series.bucket)} AS time,
        count(*)::float8 AS users
      FROM users GROUP BY 1, 2`,
  );
  const { rows } = await tx.query<{ now: string }>(
    `SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now`,
  );
  return {
    ...toSums(sums),
    quantiles,
    versions,
    series,
    assigned,
    asOf: must(rows[0], 'a select without FROM has one row').now,
  };
}

const startOf = (column: string, bucket: Bucket): string =>
  `extract(epoch FROM date_trunc('${bucket}', ${column}, 'UTC'))::float8`;

/** Counts of an experiment's trouble: users with conflicts, and items in quarantine. */
export async function countTrouble(
  db: Db,
  experiment: { readonly id: number; readonly key: string },
): Promise<{ readonly conflicts: number; readonly quarantined: number }> {
  const { rows } = await db.query<{ conflicts: number; quarantined: number }>(
    `SELECT (SELECT count(DISTINCT user_id) FROM assignment_conflicts WHERE experiment_id = $1) AS conflicts,
            (SELECT count(*) FROM quarantine WHERE experiment IN ($1::text, $2)) AS quarantined`,
    [experiment.id, experiment.key],
  );
  return must(rows[0], 'a select without FROM has one row');
}

/** When the first user was assigned, RFC 3339 UTC; null before that. */
export async function firstAssignment(db: Db, experimentId: number): Promise<string | null> {
  const { rows } = await db.query<{ first: string | null }>(
    `SELECT to_char(min(assigned_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS first
     FROM assignments WHERE experiment_id = $1`,
    [experimentId],
  );
  return rows[0]?.first ?? null;
}
