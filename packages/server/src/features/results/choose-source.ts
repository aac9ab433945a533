import type { ResultsQuery } from '@assay/contract';
import { formatInstant, parseInstant } from '@assay/core';
import { readWatermark } from '../../analytics/watermark.ts';
import type { Deps } from '../../deps.ts';
import { DomainError, must } from '../../errors.ts';
import { type ClickHouse, ClickHouseFailure } from '../../platform/clickhouse.ts';
import { type Db, inTransaction, isStatementTimeout } from '../../platform/postgres.ts';
import type { Answer, Question, Statement } from './question.ts';
import { askClickHouse } from './store-clickhouse.ts';
import { askPostgres, STATEMENT_TIMEOUT_MS } from './store-postgres.ts';
import { upToWatermark } from './to-question.ts';

export type SourceDeps = Pick<Deps, 'resultsDb' | 'clickhouse' | 'now' | 'log'>;

/** A question as of some time, RFC 3339 UTC. */
type Ending = { readonly end: string };

/** How old ClickHouse's state may be for `auto` to prefer it, in microseconds. */
const FRESH_ENOUGH = 5_000_000;

/** An answer with the statements that the store ran for it. */
interface Answered<A> {
  readonly answer: A;
  readonly statements: readonly Statement[];
}

/** How each store answers questions of one kind. */
export interface Stores<Q, A> {
  /** In a transaction of mode READ. `asOf` is its time, RFC 3339 UTC. */
  readonly postgres: (tx: Db, question: Q) => Promise<Answered<A> & { readonly asOf: string }>;
  readonly clickhouse: (clickhouse: ClickHouse, question: Q) => Promise<Answered<A>>;
  /**
   * The question to a ClickHouse that has come up to a time, in microseconds since the epoch, or null
   * where nothing is known to have arrived. Absent where the answer says nothing of silence.
   */
  readonly upToWatermark?: (question: Q, watermark: number | null) => Q;
}

export const RESULT_STORES: Stores<Question, Answer> = {
  postgres: async (tx, question) => {
    const { asOf, statements, ...answer } = await askPostgres(tx, question);
    return { answer, statements, asOf };
  },
  clickhouse: async (clickhouse, question) => {
    const { statements, ...answer } = await askClickHouse(clickhouse, question);
    return { answer, statements };
  },
  upToWatermark,
};

/** An answer, and what it was read from. */
export interface Sourced<A = Answer> extends Answered<A> {
  readonly source: 'postgresql' | 'clickhouse';
  /** RFC 3339 UTC; null where nothing is known to have arrived yet. */
  readonly asOf: string | null;
  readonly lagMs: number | null;
  /** Why it is not the source that `auto` would rather have taken. */
  readonly note?: string;
}

/** An answer with the question as it was asked, of ClickHouse no further than it has come. */
type Asked<Q, A> = Sourced<A> & { readonly question: Q };

/**
 * Asks the wanted store; `auto` takes ClickHouse where it has come far enough and answers.
 *
 * @throws DomainError `unavailable`, `overloaded`
 */
export async function askSource<Q extends Ending, A>(
  deps: SourceDeps,
  stores: Stores<Q, A>,
  question: Q,
  query: Pick<ResultsQuery, 'source' | 'granularity'>,
): Promise<Asked<Q, A>> {
  const { clickhouse } = deps;
  if (query.source === 'clickhouse') {
    if (clickhouse === undefined) {
      throw new DomainError(
        'unavailable',
        'This installation has no ClickHouse (CLICKHOUSE_URL=none)',
      );
    }
    return answerOf(deps, clickhouse, stores, question);
  }
  // The last hour is asked for to see what happens now.
  const takesPostgres = query.source === 'postgresql' || query.granularity === 'realtime';
  if (takesPostgres || clickhouse === undefined) return fromPostgres(deps, stores, question);
  const { answer, note } = await tryClickHouse(deps, clickhouse, stores, question);
  return answer ?? { ...(await fromPostgres(deps, stores, question)), note };
}

async function answerOf<Q, A>(
  { now, log }: SourceDeps,
  clickhouse: ClickHouse,
  stores: Stores<Q, A>,
  question: Q,
): Promise<Asked<Q, A>> {
  try {
    // Before the statements: what they read is at least as new.
    const watermark = await readWatermark(clickhouse);
    return await fromClickHouse(clickhouse, stores, question, watermark, now() * 1000);
  } catch (cause) {
    if (!(cause instanceof ClickHouseFailure)) throw cause;
    log.warn({ error: cause.message }, 'ClickHouse does not answer results');
    throw new DomainError('unavailable', 'ClickHouse does not answer', { cause });
  }
}

/** ClickHouse's answer if it is fresh enough, otherwise why there is none. */
async function tryClickHouse<Q extends Ending, A>(
  { now, log }: SourceDeps,
  clickhouse: ClickHouse,
  stores: Stores<Q, A>,
  question: Q,
): Promise<{ readonly answer?: Asked<Q, A>; readonly note: string }> {
  try {
    const watermark = await readWatermark(clickhouse);
    const nowMicros = now() * 1000;
    const end = must(parseInstant(question.end), 'the question has a time');
    if (watermark === null || watermark < Math.min(end, nowMicros - FRESH_ENOUGH)) {
      return { note: 'ClickHouse is behind' };
    }
    return {
      answer: await fromClickHouse(clickhouse, stores, question, watermark, nowMicros),
      note: '',
    };
  } catch (error) {
    // PostgreSQL is asked where ClickHouse fails, not where we do.
    if (!(error instanceof ClickHouseFailure)) throw error;
    log.warn({ error: error.message }, 'results come from PostgreSQL instead');
    return { note: 'ClickHouse does not answer' };
  }
}

async function fromClickHouse<Q, A>(
  clickhouse: ClickHouse,
  stores: Stores<Q, A>,
  question: Q,
  watermark: number | null,
  now: number,
): Promise<Asked<Q, A>> {
  const asked = stores.upToWatermark?.(question, watermark) ?? question;
  return {
    ...(await stores.clickhouse(clickhouse, asked)),
    question: asked,
    source: 'clickhouse',
    asOf: watermark === null ? null : formatInstant(watermark),
    lagMs: watermark === null ? null : Math.max(0, Math.round((now - watermark) / 1000)),
  };
}

/** Questions that may wait for a connection, for a few seconds each. */
const WAITING_MAX = 16;

async function fromPostgres<Q, A>(
  { resultsDb }: SourceDeps,
  stores: Stores<Q, A>,
  question: Q,
): Promise<Asked<Q, A>> {
  if (resultsDb.waitingCount >= WAITING_MAX) {
    throw new DomainError('overloaded', 'Too many results are being computed; try again');
  }
  try {
    const answered = await inTransaction(resultsDb, (tx) => stores.postgres(tx, question), 'READ');
    return { ...answered, question, source: 'postgresql', lagMs: 0 };
  } catch (cause) {
    if (!isStatementTimeout(cause)) throw cause;
    const detail = `PostgreSQL needs more than ${STATEMENT_TIMEOUT_MS / 1000} s for this; ask for a shorter time, or ClickHouse`;
    throw new DomainError('unavailable', detail, { cause, retryAfterSeconds: 60 });
  }
}
