import { must } from '../../errors.ts';
import type { Db } from '../../platform/postgres.ts';

/** The users who came in the last weeks. Times RFC 3339 UTC text. */
export interface Traffic {
  readonly since: string;
  readonly until: string;
  /** Whole days between these; 0 when nobody came. */
  readonly days: number;
  /** New users of each of these days, from the first on; a day without any may be missing. */
  readonly newUsers: readonly { readonly day: number; readonly users: number }[];
}

/** Until when, and of how many days before that at most. */
export interface TrafficFrame {
  readonly until: string;
  readonly daysMax: number;
}

export const TRAFFIC_TIMEOUT_MS = 20_000;

const wholeDays = (from: string, to: string): string =>
  `floor(extract(epoch FROM ${to} - ${from}) / 86400)::integer`;

/** @param came a select of when each user came first, as `at`; $1 is `until`, $2 the earliest time */
const trafficSql = (came: string): string => `
  WITH came AS MATERIALIZED (${came}),
  start AS (SELECT coalesce(greatest(min(at), $2::timestamptz), $1::timestamptz) AS since FROM came),
  frame AS (SELECT since, ${wholeDays('since', '$1::timestamptz')} AS days FROM start),
  by_day AS (SELECT ${wholeDays('since', 'at')} AS day, count(*) AS users
    FROM came, frame WHERE at >= since AND at < since + make_interval(days => days) GROUP BY 1)
  SELECT days, to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since,
    (SELECT coalesce(json_agg(json_build_object('day', day, 'users', users) ORDER BY day), '[]')
     FROM by_day) AS "newUsers"
  FROM frame`;

/** Users whom an administrator imported did not come. */
const ASSIGNED = `SELECT assigned_at AS at FROM assignments
  WHERE experiment_id = $3 AND source <> 'forced' AND assigned_at < $1::timestamptz`;

const SEEN = `SELECT min(ts) AS at FROM events
  WHERE ts >= $2::timestamptz AND ts < $1::timestamptz GROUP BY user_id`;

/**
 * New users a day: of whole days from the first user on, or of the last days of the frame when that
 * was longer ago. To be called in a transaction of mode READ.
 *
 * @param experimentId whose assignments are counted; null: whoever sent an event, once, at the first
 */
export async function newUsersByDay(
  tx: Db,
  experimentId: number | null,
  { until, daysMax }: TrafficFrame,
): Promise<Traffic> {
  await tx.query(`SET LOCAL statement_timeout = ${TRAFFIC_TIMEOUT_MS}`);
  const earliest = new Date(Date.parse(until) - daysMax * 86_400_000).toISOString();
  const { rows } = await tx.query<Omit<Traffic, 'until'>>({
    text: trafficSql(experimentId === null ? SEEN : ASSIGNED),
    values: [until, earliest, ...(experimentId === null ? [] : [experimentId])],
    query_timeout: TRAFFIC_TIMEOUT_MS + 2_000,
  });
  return { ...must(rows[0], 'an aggregate without GROUP BY has one row'), until };
}
