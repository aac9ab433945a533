import type { ClickHouse } from '../../platform/clickhouse.ts';
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

type Params = Record<string, unknown>;

// In the statement, never in the client's settings: on the embedded engine they would stay. The time
// ends before the client's, so that no statement outlives its caller.
const SETTINGS = `SETTINGS do_not_merge_across_partitions_select_final = 1, max_execution_time = 25,
  output_format_json_quote_denormals = 1, join_use_nulls = 0`;

// A whole number beyond 64 bits, which PostgreSQL stores like any other, makes the parser refuse the
// whole document, and with it every name in it. As a floating number it is taken; strings, which
// may hold digits too, are passed over as one piece.
const PIECES = String.raw`'"(?:[^"\\\\]|\\\\.)*"|-?[0-9]+(?:\\.[0-9]+)?|[^"0-9-]+'`;
const readable = (column: string): string =>
  `if(isValidJSON(${column}), ${column}, arrayStringConcat(arrayMap(
     piece -> if(match(piece, '^-?[0-9]{19,}$'), concat(piece, 'e0'), piece), extractAll(${column}, ${PIECES}))))`;

/** Conditions on a column of JSON text, by type and value, as PostgreSQL compares jsonb. */
function filterSql(
  column: string,
  prefix: string,
  filters: readonly Filter[],
  params: Params,
): string {
  return filters
    .map(({ name, values }, index) => {
      const key = `${prefix}${index}`;
      params[key] = name;
      const path = `${readable(column)}, {${key}:String}`;
      const parts: string[] = [];
      const strings = values.filter((value) => typeof value === 'string');
      if (strings.length > 0) {
        params[`${key}s`] = strings;
        parts.push(
          `(JSONType(${path}) = 'String' AND JSONExtractString(${path}) IN {${key}s:Array(String)})`,
        );
      }
      const numbers = values.filter((value) => typeof value === 'number');
      if (numbers.length > 0) {
        // Through the same parser as the documents: that of parameters rounds differently.
        params[`${key}n`] = numbers.map((value) => value.toExponential());
        parts.push(
          `(JSONType(${path}) IN ('Int64', 'UInt64', 'Double')
            AND has(arrayMap(x -> JSONExtractFloat(x), {${key}n:Array(String)}), JSONExtractFloat(${path})))`,
        );
      }
      for (const value of values) {
        if (typeof value === 'boolean') {
          parts.push(
            `(JSONType(${path}) = 'Bool' AND JSONExtractBool(${path}) = ${value ? 1 : 0})`,
          );
        }
        // JSONType says Null of what is missing, too.
        if (value === null) parts.push(`JSONType(${path}) = 'Null'`);
      }
      return ` AND (${parts.join(' OR ')})`;
    })
    .join('');
}

interface Counted {
  readonly users: string;
  readonly events: string;
  readonly params: Params;
}

/** The users who are counted, and their events that are, as two subqueries. */
function counted(question: Question): Counted {
  const params: Params = {
    experiment: question.experimentId,
    start: question.start.replace('T', ' ').replace('Z', ''),
    end: question.end.replace('T', ' ').replace('Z', ''),
  };
  const users = `SELECT user_id, variant_id, version, source, assigned_at FROM assignments FINAL
    WHERE experiment_id = {experiment:UInt32} AND assigned_at <= {end:DateTime64(6, 'UTC')}
    ${filterSql('context', 'c', question.contextFilters, params)}`;
  let types = '';
  if (question.eventTypes !== undefined) {
    params.types = question.eventTypes;
    types = ' AND e.type IN {types:Array(String)}';
  }
  const properties = filterSql('e.properties', 'p', question.propertyFilters, params);
  const events = `SELECT e.user_id AS user_id, u.variant_id AS variant_id, e.type AS type, e.ts AS ts, e.value AS value
    FROM events AS e FINAL INNER JOIN (${users}) AS u ON e.user_id = u.user_id
    WHERE e.ts >= {start:DateTime64(6, 'UTC')} AND e.ts <= {end:DateTime64(6, 'UTC')}
      AND e.ts >= u.assigned_at
      AND (e.experiment_id IS NULL OR e.experiment_id = {experiment:UInt32})${types}${properties}`;
  return { users, events, params };
}

/** In single precision, so that both stores choose one number though their sums differ in the last bits. */
const rounded = (mean: string): string =>
  `if(abs(${mean}) >= ${TINY}, toFloat64(toFloat32(${mean})), 0.)`;

// Users and their events in one stream, grouped by user: cheaper than an outer join.
const sumsSql = ({ users, events }: Counted): string => `
  SELECT variant_id, toFloat64(count()) AS users, toFloat64(countIf(events > 0)) AS converters,
    sum(events) AS events_sum, sum(valued) AS valued_sum, sum(total) AS total_sum,
    sum(events - e) AS events_deviation, sum((events - e) * (events - e)) AS events_squares,
    sum(total - t) AS total_deviation, sum((total - t) * (total - t)) AS total_squares,
    sum(valued - d) AS valued_deviation, sum((valued - d) * (valued - d)) AS valued_squares,
    sum(total - r * valued) AS residual,
    sum((total - r * valued) * (total - r * valued)) AS residual_squares,
    sum((total - r * valued) * (valued - d)) AS residual_product,
    min(e) AS shift_events, min(t) AS shift_total, min(d) AS shift_valued, min(r) AS shift_ratio
  FROM (
    SELECT variant_id, events, valued, total,
      avg(events) OVER () AS mean_events, avg(valued) OVER () AS mean_valued,
      avg(total) OVER () AS mean_total,
      sum(total) OVER () / greatest(sum(valued) OVER (), 1.) AS mean_value,
      ${rounded('mean_events')} AS e, ${rounded('mean_valued')} AS d,
      ${rounded('mean_total')} AS t, ${rounded('mean_value')} AS r
    FROM (
      SELECT user_id, variant_id, sum(one) AS events, sum(has_value) AS valued, if(abs(sum(amount)) >= ${TINY}, sum(amount), 0.) AS total
      FROM (
        SELECT user_id, variant_id, 0. AS one, 0. AS has_value, 0. AS amount FROM (${users})
        UNION ALL
        SELECT user_id, variant_id, 1. AS one, if(value IS NULL, 0., 1.) AS has_value, ifNull(value, 0.) AS amount
        FROM (${events}))
      GROUP BY user_id, variant_id))
  GROUP BY variant_id ${SETTINGS}`;

/** Answers from ClickHouse. */
export async function askClickHouse(clickhouse: ClickHouse, question: Question): Promise<Answer> {
  const from = counted(question);
  const ask = async <Row>(query: string, extra: Params = {}): Promise<Row[]> => {
    const result = await clickhouse.query({
      query,
      query_params: { ...from.params, ...extra },
      format: 'JSONEachRow',
    });
    return result.json<Row>();
  };
  const seriesStart = question.series.start.replace('T', ' ').replace('Z', '');
  const [sums, quantiles, versions, series, assigned] = await Promise.all([
    ask<SumsRow & { events_sum: number; valued_sum: number; total_sum: number }>(sumsSql(from)),
    question.needsQuantiles
      ? ask<{ variantId: number; q: [number, number] }>(
          `SELECT variant_id AS variantId, quantilesExactInclusive(0.5, 0.95)(assumeNotNull(value)) AS q
           FROM (${from.events}) WHERE value IS NOT NULL GROUP BY variant_id ${SETTINGS}`,
        )
      : [],
    ask<VersionCount>(
      `SELECT version, variant_id AS variantId, toFloat64(count()) AS users
       FROM (${from.users}) WHERE source != 'forced' GROUP BY version, variant_id ${SETTINGS}`,
    ),
    ask<SeriesRow>(
      `SELECT variant_id AS variantId, ${startOf('ts', question.series.bucket)} AS time,
         type AS eventType, toFloat64(count()) AS count, toFloat64(uniqExact(user_id)) AS users
       FROM (${from.events}) WHERE ts >= {series:DateTime64(6, 'UTC')}
       GROUP BY variantId, time, eventType ORDER BY time, eventType, variantId
       LIMIT ${SERIES_ROWS_MAX + 1} ${SETTINGS}`,
      { series: seriesStart },
    ),
    ask<AssignedRow>(
      `SELECT variant_id AS variantId, ${startOf('assigned_at', question.series.bucket)} AS time,
         toFloat64(count()) AS users
       FROM (${from.users}) GROUP BY variantId, time ${SETTINGS}`,
    ),
  ]);
  return {
    ...toSums(
      sums.map((row) => ({
        ...row,
        events: row.events_sum,
        valued: row.valued_sum,
        total: row.total_sum,
      })),
    ),
    quantiles: quantiles.map(
      ({ variantId, q: [median, p95] }): VariantQuantiles => ({ variantId, median, p95 }),
    ),
    versions,
    series,
    assigned,
  };
}

const UNITS: Readonly<Record<Bucket, string>> = {
  minute: 'toStartOfMinute',
  hour: 'toStartOfHour',
  day: 'toStartOfDay',
};

const startOf = (column: string, bucket: Bucket): string =>
  `toFloat64(toUnixTimestamp(${UNITS[bucket]}(${column}, 'UTC')))`;
