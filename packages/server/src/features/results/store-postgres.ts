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

export const STATEMENT_TIMEOUT_MS = 60_000;

/** True for a statement that the server ended because it took too long. */
export const isStatementTimeout = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '57014';

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

/**
 * The users who are counted, their events that are, and these by user, type and bucket of the time
 * series (null outside of it), as common table expressions. Users have a number, which is cheaper
 * to group by than their ids.
 */
function counted(question: Question): Sql {
  const { series } = question;
  const values: unknown[] = [question.experimentId, question.start, question.end, series.start];
  const users = `SELECT row_number() OVER ()::integer AS number, user_id, variant_id, version, source, assigned_at
     FROM assignments WHERE experiment_id = $1 AND assigned_at <= $3::timestamptz
     ${filterSql('context', question.contextFilters, values)}`;
  let types = '';
  if (question.eventTypes !== undefined) {
    values.push(question.eventTypes);
    types = ` AND e.type = ANY ($${values.length}::text[])`;
  }
  const properties = filterSql('e.properties', question.propertyFilters, values);
  const bucket = `CASE WHEN e.ts >= $4::timestamptz THEN ${bucketOf('e.ts', series.bucket)} END`;
  const events = `SELECT u.number, u.variant_id, e.type, e.value, ${bucket} AS bucket
     FROM events e JOIN users u ON u.user_id = e.user_id
     WHERE e.ts >= $2::timestamptz AND e.ts <= $3::timestamptz AND e.ts >= u.assigned_at
       AND (e.experiment_id IS NULL OR e.experiment_id = $1)${types}${properties}`;
  return {
    text: `WITH users AS MATERIALIZED (${users}), counted AS (${events}), cells AS MATERIALIZED (
      SELECT number, variant_id, bucket, type, count(*)::float8 AS events,
        count(value)::float8 AS valued, sum(value) AS total
      FROM counted GROUP BY number, variant_id, bucket, type)`,
    values,
  };
}

/** Beginnings of minutes, hours and days are the same everywhere in UTC. */
const bucketOf = (column: string, bucket: Bucket): string =>
  `date_bin('1 ${bucket}', ${column}, '2000-01-01T00:00:00Z'::timestamptz)`;
const seconds = (column: string): string => `extract(epoch FROM ${column})::float8`;

/** In single precision, so that both stores choose one number though their sums differ in the last bits. */
const rounded = (mean: string): string =>
  `CASE WHEN abs(${mean}) >= ${TINY} THEN (${mean})::real::float8 ELSE 0 END`;

const PER_USER = `
  per_user AS MATERIALIZED (
    SELECT u.variant_id, coalesce(c.events, 0) AS events, coalesce(c.valued, 0) AS valued,
      CASE WHEN abs(c.total) >= ${TINY} THEN c.total ELSE 0 END AS total
    FROM users u LEFT JOIN (
      SELECT number, sum(events) AS events, sum(valued) AS valued, sum(total) AS total
      FROM cells GROUP BY number) c USING (number)),
  -- Near the means, so that squares keep their digits.
  shift AS (SELECT ${rounded('avg(events)')} AS e, ${rounded('avg(valued)')} AS d,
                   ${rounded('avg(total)')} AS t, ${rounded('sum(total) / nullif(sum(valued), 0)')} AS r
            FROM per_user)`;

const SUMS = `SELECT variant_id, count(*)::float8 AS users, count(*) FILTER (WHERE events > 0)::float8 AS converters,
    sum(events) AS events, sum(valued) AS valued, sum(total) AS total,
    sum(events - e) AS events_deviation, sum((events - e) ^ 2) AS events_squares,
    sum(total - t) AS total_deviation, sum((total - t) ^ 2) AS total_squares,
    sum(valued - d) AS valued_deviation, sum((valued - d) ^ 2) AS valued_squares,
    sum(total - r * valued) AS residual, sum((total - r * valued) ^ 2) AS residual_squares,
    sum((total - r * valued) * (valued - d)) AS residual_product,
    min(e) AS shift_events, min(t) AS shift_total, min(d) AS shift_valued, min(r) AS shift_ratio
  FROM per_user, shift GROUP BY variant_id`;

const QUANTILES = `SELECT variant_id AS "variantId",
    percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY value) AS p95
  FROM counted WHERE value IS NOT NULL GROUP BY variant_id`;

const VERSIONS = `SELECT version, variant_id AS "variantId", count(*)::float8 AS users
  FROM users WHERE source <> 'forced' GROUP BY version, variant_id`;

// Of cells, because sorting for count(DISTINCT) takes three times as long.
const SERIES = `SELECT variant_id AS "variantId", ${seconds('bucket')} AS time, type AS "eventType",
    sum(events) AS count, count(*)::float8 AS users
  FROM cells WHERE bucket IS NOT NULL
  GROUP BY variant_id, bucket, type ORDER BY bucket, type, variant_id LIMIT ${SERIES_ROWS_MAX + 1}`;

const assignedSql = (bucket: Bucket): string =>
  `SELECT variant_id AS "variantId", ${seconds(bucketOf('assigned_at', bucket))} AS time,
     count(*)::float8 AS users
   FROM users GROUP BY 1, 2`;

/** One statement, because the join of users and events is most of the work. */
function answerSql({ needsQuantiles, series }: Question): string {
  const all = (select: string): string =>
    `(SELECT coalesce(json_agg(to_json(r)), '[]') FROM (${select}) AS r)`;
  return `, ${PER_USER} SELECT ${all(SUMS)} AS sums,
    ${needsQuantiles ? all(QUANTILES) : `'[]'::json`} AS quantiles,
    ${all(VERSIONS)} AS versions, ${all(SERIES)} AS series, ${all(assignedSql(series.bucket))} AS assigned,
    to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS as_of`;
}

interface AnswerRow extends Record<string, unknown> {
  readonly sums: readonly SumsRow[];
  readonly quantiles: readonly VariantQuantiles[];
  readonly versions: readonly VersionCount[];
  readonly series: readonly SeriesRow[];
  readonly assigned: readonly AssignedRow[];
  readonly as_of: string;
}

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
  // Compiling takes longer than it saves.
  await tx.query('SET LOCAL jit = off');
  const { text, values } = counted(question);
  const { rows } = await tx.query<AnswerRow>({
    text: text + answerSql(question),
    values: [...values],
    query_timeout: STATEMENT_TIMEOUT_MS + 2_000,
  });
  const { sums, as_of, ...answer } = must(rows[0], 'a select without FROM has one row');
  return { ...answer, ...toSums(sums), asOf: as_of };
}

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
