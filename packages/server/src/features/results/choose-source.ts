import type { ResultsQuery } from '@assay/contract';
import { formatInstant, parseInstant } from '@assay/core';
import { readWatermark } from '../../analytics/watermark.ts';
import type { Deps } from '../../deps.ts';
import { DomainError, must } from '../../errors.ts';
import type { ClickHouse } from '../../platform/clickhouse.ts';
import { inTransaction, isStatementTimeout } from '../../platform/postgres.ts';
import type { Answer, Question, Statement } from './question.ts';
import { askClickHouse } from './store-clickhouse.ts';
import { askPostgres, STATEMENT_TIMEOUT_MS } from './store-postgres.ts';

export type SourceDeps = Pick<Deps, 'resultsDb' | 'clickhouse' | 'now' | 'log'>;

/** How old ClickHouse's state may be for `auto` to prefer it, in microseconds. */
const FRESH_ENOUGH = 5_000_000;

/** An answer, and what it was read from. */
export interface Sourced {
  readonly answer: Answer;
  /** By which the source was asked for it. */
  readonly statements: readonly Statement[];
  readonly source: 'postgresql' | 'clickhouse';
  /** RFC 3339 UTC; null where nothing is known to have arrived yet. */
  readonly asOf: string | null;
  readonly lagMs: number | null;
  /** Why it is not the source that `auto` would rather have taken. */
  readonly note?: string;
}

/**
 * Asks the wanted store; `auto` takes ClickHouse where it has come far enough and answers.
 *
 * @throws DomainError `unavailable`
 */
export async function askSource(
  deps: SourceDeps,
  question: Question,
  query: Pick<ResultsQuery, 'source' | 'granularity'>,
): Promise<Sourced> {
  const { clickhouse } = deps;
  if (query.source === 'clickhouse') {
    if (clickhouse === undefined) {
      throw new DomainError(
        'unavailable',
        'This installation has no ClickHouse (CLICKHOUSE_URL=none)',
      );
    }
    return answerOf(deps, clickhouse, question);
  }
  // The last hour is asked for to see what happens now.
  const takesPostgres = query.source === 'postgresql' || query.granularity === 'realtime';
  if (takesPostgres || clickhouse === undefined) return fromPostgres(deps, question);
  const { answer, note } = await tryClickHouse(deps, clickhouse, question);
  return answer ?? { ...(await fromPostgres(deps, question)), note };
}

async function answerOf(
  { now, log }: SourceDeps,
  clickhouse: ClickHouse,
  question: Question,
): Promise<Sourced> {
  try {
    // Before the statements: what they read is at least as new.
    const watermark = await readWatermark(clickhouse);
    return await fromClickHouse(clickhouse, question, watermark, now() * 1000);
  } catch (cause) {
    log.warn({ error: (cause as Error).message }, 'ClickHouse does not answer results');
    throw new DomainError('unavailable', 'ClickHouse does not answer', { cause });
  }
}

/** ClickHouse's answer if it is fresh enough, otherwise why there is none. */
async function tryClickHouse(
  { now, log }: SourceDeps,
  clickhouse: ClickHouse,
  question: Question,
): Promise<{ readonly answer?: Sourced; readonly note: string }> {
  try {
    const watermark = await readWatermark(clickhouse);
    const nowMicros = now() * 1000;
    const end = must(parseInstant(question.end), 'the question has a time');
    if (watermark === null || watermark < Math.min(end, nowMicros - FRESH_ENOUGH)) {
      return { note: 'ClickHouse is behind' };
    }
    return { answer: await fromClickHouse(clickhouse, question, watermark, nowMicros), note: '' };
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'results come from PostgreSQL instead');
    return { note: 'ClickHouse does not answer' };
  }
}

async function fromClickHouse(
  clickhouse: ClickHouse,
  question: Question,
  watermark: number | null,
  now: number,
): Promise<Sourced> {
  const { statements, ...answer } = await askClickHouse(clickhouse, question);
  return {
    answer,
    statements,
    source: 'clickhouse',
    asOf: watermark === null ? null : formatInstant(watermark),
    lagMs: watermark === null ? null : Math.max(0, Math.round((now - watermark) / 1000)),
  };
}

/** Questions that may wait for a connection, for a few seconds each. */
const WAITING_MAX = 16;

async function fromPostgres({ resultsDb }: SourceDeps, question: Question): Promise<Sourced> {
  if (resultsDb.waitingCount >= WAITING_MAX) {
    throw new DomainError('overloaded', 'Too many results are being computed; try again');
  }
  try {
    const { asOf, statements, ...answer } = await inTransaction(
      resultsDb,
      (tx) => askPostgres(tx, question),
      'READ',
    );
    return { answer, statements, source: 'postgresql', asOf, lagMs: 0 };
  } catch (cause) {
    if (!isStatementTimeout(cause)) throw cause;
    const detail = `PostgreSQL needs more than ${STATEMENT_TIMEOUT_MS / 1000} s for this; ask for a shorter time, or ClickHouse`;
    throw new DomainError('unavailable', detail, { cause, retryAfterSeconds: 60 });
  }
}
