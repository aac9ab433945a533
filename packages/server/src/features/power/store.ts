import { must } from '../../errors.ts';
import type { Db } from '../../platform/postgres.ts';

/** The users who came to an experiment in the last weeks. Times RFC 3339 UTC text. */
export interface Traffic {
  readonly since: string;
  readonly until: string;
  /** Whole days between these; 0 when it had no users then. */
  readonly days: number;
  /** New users of each of these days, from the first on; a day without any may be missing. */
  readonly newUsers: readonly { readonly day: number; readonly users: number }[];
}

/**
 * New users a day: of whole days from the first user on, or of the last `daysMax` days before
 * `until` when that was longer ago. Users whom an administrator imported did not come.
 */
export async function newUsersByDay(
  db: Db,
  experimentId: number,
  until: string,
  daysMax: number,
): Promise<Traffic> {
  const day = (from: string, to: string): string =>
    `floor(extract(epoch FROM ${to} - ${from}) / 86400)::integer`;
  const { rows } = await db.query<Omit<Traffic, 'until'>>(
    `WITH came AS (SELECT assigned_at FROM assignments
       WHERE experiment_id = $1 AND source <> 'forced' AND assigned_at < $2::timestamptz),
     start AS (SELECT coalesce(greatest(min(assigned_at), $2::timestamptz - make_interval(days => $3)), $2::timestamptz) AS since
       FROM came),
     frame AS (SELECT since, ${day('since', '$2::timestamptz')} AS days FROM start),
     by_day AS (SELECT ${day('since', 'assigned_at')} AS day, count(*) AS users
       FROM came, frame
       WHERE assigned_at >= since AND assigned_at < since + make_interval(days => days)
       GROUP BY 1)
     SELECT days, to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since,
       (SELECT coalesce(json_agg(json_build_object('day', day, 'users', users) ORDER BY day), '[]')
        FROM by_day) AS "newUsers"
     FROM frame`,
    [experimentId, until, daysMax],
  );
  return { ...must(rows[0], 'an aggregate without GROUP BY has one row'), until };
}
