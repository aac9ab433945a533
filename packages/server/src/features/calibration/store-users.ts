import type { Db } from '../../platform/postgres.ts';
import { scanStart } from '../results/postgres/scan-start.ts';
import { askRows, type Frame, planForSets } from '../results/postgres/sql.ts';
import { userEventsSql, userFunnelsSql, userValuesSql } from '../results/postgres/user-values.ts';
import { frameOf } from '../results/postgres/users.ts';
import type { Question } from '../results/question.ts';
import type { UserEvents, UserPlan, UserRows } from './population.ts';

/** How much is read at most. */
export interface ReadLimits {
  readonly users: number;
  /** Of each set of values whose quantiles are taken. */
  readonly events: number;
  /** Of all statements together. */
  readonly milliseconds: number;
}

/**
 * Reads what each user did: of so many users, as their hash chooses. To be called in a transaction of
 * mode READ. @throws with code 57014 when it takes too long
 */
export async function readUsers(
  tx: Db,
  question: Question,
  plan: UserPlan,
  limits: ReadLimits,
): Promise<UserRows> {
  const deadline = performance.now() + limits.milliseconds;
  const rowsOf = <Row extends Record<string, unknown>>(
    text: (frame: Frame) => string,
  ): Promise<readonly Row[]> => {
    const frame = frameOf(question);
    return askRows(tx, text(frame), frame, deadline);
  };
  await planForSets(tx);
  const from = await scanStart(tx, question, plan.values);
  const users = await rowsOf<{ id: string; values: number[] }>((frame) =>
    userValuesSql(question, plan.values, frame, { limit: limits.users, from }),
  );
  const funnels =
    plan.funnels.length === 0
      ? []
      : await rowsOf<{ values: number[] }>((frame) =>
          userFunnelsSql(question, plan.funnels, frame, limits.users),
        );
  const { columns } = plan.quantiles;
  const events =
    columns.length === 0
      ? []
      : await rowsOf<UserEvents & Record<string, unknown>>((frame) =>
          userEventsSql(question, columns, frame, {
            limit: limits.users,
            eventsMax: limits.events,
          }),
        );
  const { rows } = await tx.query<{ assigned: number }>(
    'SELECT count(*) AS assigned FROM assignments WHERE experiment_id = $1 AND assigned_at <= $2',
    [question.experimentId, question.end],
  );
  return {
    users,
    funnels: funnels.map(({ values }) => values),
    events,
    assigned: rows[0]?.assigned ?? 0,
  };
}

/** The process of PostgreSQL that works for a session. */
export async function backendOf(session: Db): Promise<number> {
  const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}

/** Ends the statement that a session is at. */
export async function cancelStatement(db: Db, backend: number): Promise<void> {
  await db.query('SELECT pg_cancel_backend($1)', [backend]);
}
