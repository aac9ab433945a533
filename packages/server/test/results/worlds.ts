import { bucketOf, formatInstant } from '@assay/core';
import { pino } from 'pino';
import { readConfig } from '../../src/config.ts';
import type { ResultsDeps } from '../../src/features/results/service.ts';
import { ensurePartitions } from '../../src/worker/partitions.ts';
import type { TestClickHouse, TestDatabase } from '../fixtures.ts';

export const VARIANT_KEYS = ['control', 'blue', 'green'];

/** An experiment's id and those of its variants, in their order. */
export interface MadeExperiment {
  readonly id: number;
  readonly variants: readonly number[];
}

/** An assignment as both stores hold it; `context` and `properties` are JSON values. */
export interface AssignmentRow {
  readonly experiment: MadeExperiment;
  readonly userId: string;
  readonly variant: number;
  readonly source?: 'hash' | 'reported' | 'forced';
  /** Microseconds since the epoch. */
  readonly assignedAt: number;
  readonly context?: Record<string, unknown>;
}

export interface EventRow {
  readonly eventId: string;
  readonly type: string;
  readonly userId: string;
  readonly ts: number;
  readonly value: number | null;
  readonly properties?: Record<string, unknown>;
  readonly experimentId?: number | null;
}

/** What `getResults` needs, over a test's own databases, with partitions for all that is kept. */
export async function resultsDeps(
  database: TestDatabase,
  clickhouse: TestClickHouse | undefined,
  now: number,
): Promise<ResultsDeps> {
  const config = readConfig({ DATABASE_URL: database.url });
  await ensurePartitions(database.pool, now, config.retentionMonths);
  return {
    db: database.pool,
    resultsDb: database.pool,
    clickhouse: clickhouse?.client,
    config,
    now: () => now,
    log: pino({ level: 'silent' }),
  };
}

/** A running experiment with a control of half and two treatments of a quarter each. */
export async function makeExperiment({ pool }: TestDatabase, key: string): Promise<MadeExperiment> {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO experiments (key, name, seed, status, started_at, version, has_reported, analysis)
     VALUES ($1, $1, 's', 'running', now(), 2, true, '{"confidence_level":95,"expected_users":null}')
     RETURNING id`,
    [key],
  );
  const id = rows[0]?.id ?? 0;
  const variants = await pool.query<{ id: number }>(
    `INSERT INTO variants (experiment_id, position, key, name, allocation, is_control)
     SELECT $1, p, k, k, a, p = 0
     FROM unnest('{0,1,2}'::int[], $2::text[], '{5000,2500,2500}'::int[]) AS x (p, k, a)
     RETURNING id`,
    [id, VARIANT_KEYS],
  );
  return { id, variants: variants.rows.map((row) => row.id) };
}

/** Empties both stores of assignments and events. */
export async function clear({ pool }: TestDatabase, { client }: TestClickHouse): Promise<void> {
  await pool.query('TRUNCATE assignments, events');
  for (const table of ['assignments', 'events']) {
    await client.command({ query: `TRUNCATE TABLE ${table}` });
  }
}

export async function insertPostgres(
  { pool }: TestDatabase,
  assignments: readonly AssignmentRow[],
  events: readonly EventRow[],
): Promise<void> {
  await pool.query(
    'INSERT INTO assignments SELECT * FROM json_populate_recordset(NULL::assignments, $1)',
    [JSON.stringify(assignments.map(assignmentColumns))],
  );
  await pool.query(
    `INSERT INTO events (event_id, type, user_id, ts, value, properties, experiment_id)
     SELECT event_id, type, user_id, ts, value, properties, experiment_id
     FROM json_populate_recordset(NULL::events, $1)`,
    [JSON.stringify(events.map(eventColumns))],
  );
}

/** Inserts rows as CDC would: JSON columns as the text that PostgreSQL has of them. */
export async function insertClickHouse(
  database: TestDatabase,
  { client }: TestClickHouse,
  assignments: readonly AssignmentRow[],
  events: readonly EventRow[],
  extra: { readonly _version: number; readonly _deleted?: 0 | 1 },
): Promise<void> {
  const documents = await jsonbTexts(database, [
    ...assignments.map(({ context = {} }) => context),
    ...events.map(({ properties = {} }) => properties),
  ]);
  const put = async (table: string, values: readonly object[]): Promise<void> => {
    if (values.length > 0) await client.insert({ table, values, format: 'JSONEachRow' });
  };
  const marks = { _deleted: 0, ...extra };
  await put(
    'assignments',
    assignments.map((row, index) => ({
      ...assignmentColumns(row),
      context: documents[index],
      ...marks,
    })),
  );
  await put(
    'events',
    events.map((row, index) => ({
      ...eventColumns(row),
      properties: documents[assignments.length + index],
      ...marks,
    })),
  );
}

async function jsonbTexts(
  { pool }: TestDatabase,
  documents: readonly object[],
): Promise<readonly string[]> {
  const { rows } = await pool.query<{ text: string }>(
    `SELECT document::text AS text
     FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS x (document, at) ORDER BY at`,
    [JSON.stringify(documents)],
  );
  return rows.map(({ text }) => text);
}

const assignmentColumns = (row: AssignmentRow) => ({
  experiment_id: row.experiment.id,
  user_id: row.userId,
  variant_id: row.experiment.variants[row.variant] ?? 0,
  version: 2,
  source: row.source ?? 'hash',
  bucket: bucketOf(row.userId, 's'),
  assigned_at: formatInstant(row.assignedAt),
  context: row.context ?? {},
});

const eventColumns = (row: EventRow) => ({
  event_id: row.eventId,
  type: row.type,
  user_id: row.userId,
  ts: formatInstant(row.ts),
  value: row.value,
  properties: row.properties ?? {},
  experiment_id: row.experimentId ?? null,
});
