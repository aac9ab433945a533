import type { PlannedFunnel } from '../funnel-rows.ts';
import { unionOfTypes } from '../plan.ts';
import type { Question } from '../question.ts';
import { eventsOf } from './events.ts';
import type { Frame } from './sql.ts';
import { membersSql, usersSql } from './users.ts';

/** Expressions of the users who reached each step of each funnel, and their names, funnel by funnel. */
interface ReachedSteps {
  readonly expressions: readonly string[];
  readonly names: readonly (readonly string[])[];
}

/**
 * The users who reached each step of each funnel, all beside `users`. A user's time of a step is that
 * of its first event not before the time of the step before it: one expression a step, `f0_0`, `f0_1` …
 */
export function reachedSql(
  question: Question,
  funnels: readonly PlannedFunnel[],
  frame: Frame,
): ReachedSteps {
  const places = funnels.flatMap(({ steps }, f) =>
    steps.map((column, s) => ({ column, f, s, name: `f${f}_${s}` })),
  );
  const columns = places.map(({ column }) => column);
  const types = unionOfTypes(columns.map((column) => column.types));
  const events = eventsOf(question, frame, { columns, types, from: null });
  const marks = places.map(({ column, name }) => `${events.columnSql(column)} AS ${name}`);
  const rows = places.map(({ f, s, name }) => `(${f}, ${s}, ${name})`);
  const reached = places.map(({ f, s, name }) =>
    s === 0
      ? `${name} AS (SELECT number, min(ts) AS ts FROM marked WHERE f = ${f} AND s = 0 GROUP BY number)`
      : `${name} AS (
          SELECT number, min(m.ts) AS ts FROM marked m JOIN f${f}_${s - 1} b USING (number)
          WHERE m.f = ${f} AND m.s = ${s} AND m.ts >= b.ts GROUP BY number)`,
  );
  const marked = `marked AS MATERIALIZED (
      SELECT number, ts, k.f, k.s
      FROM (SELECT e.number, e.ts, ${marks.join(', ')} FROM ${events.sql} AS e) AS x
        CROSS JOIN LATERAL (VALUES ${rows.join(', ')}) AS k (f, s, mark)
      WHERE k.mark IS NOT NULL)`;
  const names = funnels.map(({ steps }, f) => steps.map((_, s) => `f${f}_${s}`));
  return { expressions: [marked, ...reached], names };
}

/** Users of each arm who reached each step of each funnel. */
export function funnelsSql(
  question: Question,
  funnels: readonly PlannedFunnel[],
  frame: Frame,
): string {
  const users = usersSql(question, frame);
  const { expressions, names } = reachedSql(question, funnels, frame);
  const places = names.flat();
  return `WITH ${users}, ${membersSql(question)}, ${expressions.join(', ')}
    SELECT variant_id, is_whole, segment, count(*)::float8 AS users,
      ARRAY[${places.map((name) => `count(${name}.ts)`).join(', ')}]::float8[] AS reached
    FROM members ${places.map((name) => `LEFT JOIN ${name} USING (number)`).join(' ')}
    GROUP BY arm, variant_id, is_whole, segment`;
}
