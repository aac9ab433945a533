import { randomUUID } from 'node:crypto';
import { type Results, ResultsQuery } from '@assay/contract';
import { bucketOf, formatInstant } from '@assay/core';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect } from 'vitest';
import { startTestApp } from '../../../test/app.ts';
import { type TestClickHouse, type TestDatabase, test } from '../../../test/fixtures.ts';
import { readConfig } from '../../config.ts';
import { ensurePartitions } from '../../worker/partitions.ts';
import { getResults, type ResultsDeps } from './service.ts';

const MINUTE = 60_000_000;
const DAY = 1_440 * MINUTE;

/** What one random run puts into both stores. */
interface World {
  readonly users: readonly {
    readonly name: number;
    readonly experiment: 0 | 1;
    readonly variant: number;
    readonly at: number;
    readonly country: string | null;
  }[];
  readonly events: readonly {
    readonly name: number;
    readonly type: number;
    readonly at: number;
    readonly value: number | null;
    readonly scope: null | 0 | 1;
    readonly plan: unknown;
    readonly copies: number;
  }[];
}

const NAMES = [
  'u1',
  'Jürgen',
  '😀',
  '日本',
  "o'neil",
  'a\\b',
  'tab\tbed',
  '{x:String}',
  'Łódź',
  'e\u0301',
];
const TYPES = ['purchase', 'Käufe 🛒', 'view'];

const world: fc.Arbitrary<World> = fc.record({
  users: fc.array(
    fc.record({
      name: fc.nat(60),
      experiment: fc.constantFrom(0 as const, 1 as const),
      variant: fc.nat(2),
      at: fc.nat(3 * 1_440),
      country: fc.constantFrom('DE', 'AT', 'ÖÜ', null),
    }),
    { maxLength: 80, size: 'max' },
  ),
  events: fc.array(
    fc.record({
      name: fc.nat(70),
      type: fc.nat(2),
      at: fc.integer({ min: -1_440, max: 4 * 1_440 }),
      value: fc.oneof(
        fc.constant(null),
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.integer({ min: 0, max: 5 }).map((value) => value + 1e7),
      ),
      scope: fc.constantFrom(null, null, 0 as const, 1 as const),
      plan: fc.constantFrom('pro', 'frei', 1, 1.5, '1', true, 'true', null, undefined, ['pro'], {}),
      copies: fc.integer({ min: 1, max: 3 }),
    }),
    { maxLength: 150, size: 'max' },
  ),
});

const query = fc.record(
  {
    event_type: fc.subarray(TYPES, { minLength: 1 }),
    granularity: fc.constantFrom('hour', 'day'),
    from: fc.integer({ min: 0, max: 2 * 1_440 }),
    to: fc.integer({ min: 2 * 1_440, max: 4 * 1_440 }),
    plan: fc.constantFrom('pro', 1, '1', true, null, ['pro', 'frei'], [1.5, null], ['true', true]),
    country: fc.constantFrom('DE', ['AT', 'ÖÜ'], null),
  },
  { requiredKeys: [] },
);

const nameOf = (index: number): string => `${NAMES[index % NAMES.length]}-${index}`;
const VARIANT_KEYS = ['control', 'blue', 'green'];

/** Two experiments in PostgreSQL; answers their ids and those of their variants. */
async function makeExperiments({ pool }: TestDatabase) {
  const experiments: { id: number; variants: number[] }[] = [];
  for (const key of ['first', 'second']) {
    const { rows } = await pool.query<{ id: number }>(
      `INSERT INTO experiments (key, name, seed, status, started_at, version, analysis)
       VALUES ($1, $1, 's', 'running', now(), 2, '{"confidence_level":95,"expected_users":null}')
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
    experiments.push({ id, variants: variants.rows.map((row) => row.id) });
  }
  return experiments;
}

type Experiments = Awaited<ReturnType<typeof makeExperiments>>;

/** Puts a world into both stores: once into PostgreSQL, any number of times into ClickHouse. */
async function fill(
  { pool }: TestDatabase,
  { client }: TestClickHouse,
  experiments: Experiments,
  base: number,
  { users, events }: World,
): Promise<void> {
  await pool.query('TRUNCATE assignments, events');
  for (const table of ['assignments', 'events'])
    await client.command({ query: `TRUNCATE TABLE ${table}` });
  const assignments = new Map(
    users.map((user) => {
      const { id = 0, variants = [] } = experiments[user.experiment] ?? {};
      const row = {
        experiment_id: id,
        user_id: nameOf(user.name),
        variant_id: variants[user.variant] ?? 0,
        version: 2,
        source: 'hash',
        bucket: bucketOf(nameOf(user.name), 's'),
        assigned_at: formatInstant(base + user.at * MINUTE + 7),
        context: JSON.stringify(user.country === null ? {} : { country: user.country }),
      };
      return [`${id}:${user.name}`, row];
    }),
  );
  const rows = events.map((event) => ({
    event_id: randomUUID(),
    type: TYPES[event.type],
    user_id: nameOf(event.name),
    // Some fall exactly on the moment of an assignment.
    ts: formatInstant(base + event.at * MINUTE + 7),
    value: event.value,
    properties: JSON.stringify({ plan: event.plan, other: 'x' }),
    experiment_id: event.scope === null ? null : (experiments[event.scope]?.id ?? null),
    copies: event.copies,
  }));
  await pool.query(
    'INSERT INTO assignments SELECT * FROM json_populate_recordset(NULL::assignments, $1)',
    [
      JSON.stringify(
        [...assignments.values()].map((row) => ({ ...row, context: JSON.parse(row.context) })),
      ),
    ],
  );
  await pool.query(
    `INSERT INTO events (event_id, type, user_id, ts, value, properties, experiment_id)
     SELECT event_id, type, user_id, ts, value, properties, experiment_id
     FROM json_populate_recordset(NULL::events, $1)`,
    [JSON.stringify(rows.map((row) => ({ ...row, properties: JSON.parse(row.properties) })))],
  );
  // Copies arrive late and in another order, as after a replay.
  for (let copy = 3; copy >= 1; copy--) {
    const sent = rows.filter(({ copies }) => copies >= copy).reverse();
    if (sent.length > 0) {
      await client.insert({
        table: 'events',
        values: sent.map(({ copies: _, ...row }) => ({
          ...row,
          _version: copy === 1 ? 5 : 0,
          _deleted: 0,
        })),
        format: 'JSONEachRow',
      });
    }
    if (assignments.size > 0) {
      await client.insert({
        table: 'assignments',
        values: [...assignments.values()].map((row) => ({
          ...row,
          _version: 4 - copy,
          _deleted: 0,
        })),
        format: 'JSONEachRow',
      });
    }
  }
}

/** Equal but for the last digits of floating numbers, relative to the size of what was summed. */
function expectSame(a: unknown, b: unknown, scale: number, path = 'results'): void {
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isInteger(a) && Number.isInteger(b) && Math.abs(a) < 1e9) expect(a, path).toBe(b);
    else {
      const tolerance = 1e-9 * Math.max(Math.abs(a), Math.abs(b)) + 1e-12 * scale;
      expect(Math.abs(a - b), `${path}: ${a} and ${b}`).toBeLessThanOrEqual(tolerance);
    }
    return;
  }
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
    expect(a, path).toEqual(b);
    return;
  }
  expect(Object.keys(a).sort(), path).toEqual(Object.keys(b).sort());
  for (const [key, value] of Object.entries(a)) {
    expectSame(value, (b as Record<string, unknown>)[key], scale, `${path}.${key}`);
  }
}

describe('both sources', () => {
  test('give the same results on random experiments', { timeout: 280_000 }, async ({
    database,
    clickhouse,
  }) => {
    const config = readConfig({ DATABASE_URL: database.url });
    const now = Date.now();
    await ensurePartitions(database.pool, now, config.retentionMonths);
    const deps: ResultsDeps = {
      db: database.pool,
      clickhouse: clickhouse.client,
      config,
      now: () => now,
      log: pino({ level: 'silent' }),
    };
    const experiments = await makeExperiments(database);
    const base = Math.floor((now * 1_000) / DAY) * DAY - 6 * DAY;
    const metrics =
      'conversion_rate,unique_users,event_count,events_per_user,sum_value,value_per_user,avg_value,median_value,p95_value';
    let interesting = 0;
    await fc.assert(
      fc.asyncProperty(world, query, async (random, { from, to, plan, country, ...rest }) => {
        await fill(database, clickhouse, experiments, base, random);
        const filters: Record<string, unknown> = {
          ...(plan === undefined ? {} : { 'properties.plan': plan }),
          ...(country === undefined ? {} : { 'context.country': country }),
        };
        const ask = (source: string): Promise<Results> =>
          getResults(
            deps,
            'first',
            ResultsQuery.parse({
              ...rest,
              metrics,
              source,
              min_sample: '2',
              filters: JSON.stringify(filters),
              ...(from === undefined ? {} : { start_date: formatInstant(base + from * MINUTE) }),
              end_date: formatInstant(base + (to ?? 5 * 1_440) * MINUTE),
            }),
          );
        const [postgres, click] = await Promise.all([ask('postgresql'), ask('clickhouse')]);
        if (random.users.length > 20) interesting++;
        const scale = random.events.reduce((sum, { value }) => sum + Math.abs(value ?? 0), 1);
        expectSame(postgres.variants, click.variants, scale);
        expectSame(
          { ...postgres.summary.health.srm, m: postgres.summary.winning_variant },
          { ...click.summary.health.srm, m: click.summary.winning_variant },
          scale,
        );
      }),
      { numRuns: 40, endOnFailure: true, seed: 20261125 },
    );
    expect(interesting).toBeGreaterThan(5);
  });
});

describe('results', () => {
  test('choose the source by how far ClickHouse has come', async ({ database, clickhouse }) => {
    const api = await startTestApp(database, clickhouse);
    await makeExperiments(database);
    await api.deps.snapshot.refresh();
    const sourceOf = async (parameters: string) =>
      (await api.call('GET', `/v1/experiments/first/results?${parameters}`)).json().metadata;
    expect(await sourceOf('source=auto')).toMatchObject({
      source: 'postgresql',
      source_note: 'ClickHouse is behind',
    });
    const mark = (at: number) =>
      clickhouse.client.insert({
        table: 'cdc_watermark',
        values: [{ source: 'pgoutput', committed_at: formatInstant(at * 1_000), position: '0/0' }],
        format: 'JSONEachRow',
      });
    await mark(Date.now() - 3_600_000);
    const old = new Date(Date.now() - 7_200_000).toISOString();
    expect((await sourceOf('source=auto')).source).toBe('postgresql');
    expect((await sourceOf(`source=auto&end_date=${old}`)).source).toBe('clickhouse');
    await mark(Date.now());
    expect((await sourceOf('source=auto')).source).toBe('clickhouse');
    expect((await sourceOf('granularity=realtime')).source).toBe('postgresql');
    await api.stop();
  });
});
