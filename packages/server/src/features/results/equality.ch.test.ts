import { randomUUID } from 'node:crypto';
import { BUILT_IN_METRICS, type Results, ResultsQuery } from '@assay/contract';
import { formatInstant } from '@assay/core';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { type TestClickHouse, type TestDatabase, test } from '../../../test/fixtures.ts';
import {
  type AssignmentRow,
  clear,
  type EventRow,
  insertClickHouse,
  insertPostgres,
  type MadeExperiment,
  makeExperiment,
  resultsDeps,
} from '../../../test/results/worlds.ts';
import { getResults } from './service.ts';

const MINUTE = 60_000_000;
const DAY = 1_440 * MINUTE;

/** What one random run puts into both stores. Times are whole minutes and a few microseconds. */
interface World {
  readonly users: readonly {
    readonly name: number;
    readonly experiment: 0 | 1;
    readonly variant: number;
    readonly at: number;
    readonly country: string | null;
    readonly source: 'hash' | 'reported' | 'forced';
    /** An assignment that an earlier exposure moved back, or that was erased afterwards. */
    readonly fate: 'kept' | 'moved' | 'erased';
  }[];
  readonly events: readonly {
    readonly name: number;
    readonly type: number;
    readonly at: number;
    readonly micros: number;
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
  'é',
];
const TYPES = ['purchase', 'Käufe 🛒', 'view'];

// One magnitude a world: about a common constant both stores lose the digits of values a million
// times smaller than others, each in its own way.
const valuesOf = (magnitude: number): fc.Arbitrary<number | null> =>
  fc.oneof(
    fc.constant(null),
    fc.integer({ min: -10_000, max: 10_000 }).map((value) => (value / 9_999) * magnitude),
    fc.integer({ min: 0, max: 5 }).map((value) => (value / 7 + 10) * magnitude),
    fc.constant(magnitude / 3),
    fc.constant(0),
  );

// Often the same minute, so that microseconds tell what came first.
const minute = (min: number, max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min, max }), fc.constantFrom(0, 59, 60, 1_439, 1_440, 2_000));

/** Mostly enough to compute with, sometimes nearly nothing. */
const some = <T>(item: fc.Arbitrary<T>, many: number): fc.Arbitrary<T[]> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.array(item, { maxLength: 3 }) },
    { weight: 5, arbitrary: fc.array(item, { minLength: many / 2, maxLength: many, size: 'max' }) },
  );

const world: fc.Arbitrary<World> = fc.constantFrom(1e-6, 1, 1e6).chain((magnitude) =>
  fc.record({
    users: some(
      fc.record({
        name: fc.nat(90),
        experiment: fc.constantFrom(0 as const, 0 as const, 1 as const),
        variant: fc.nat(2),
        at: minute(0, 3 * 1_440),
        country: fc.constantFrom('DE', 'DE', 'AT', 'ÖÜ', null),
        source: fc.constantFrom('hash', 'hash', 'reported', 'forced'),
        fate: fc.constantFrom('kept', 'kept', 'kept', 'moved', 'erased'),
      }),
      160,
    ),
    events: some(
      fc.record({
        name: fc.nat(95),
        type: fc.nat(2),
        at: minute(-1_440, 4 * 1_440),
        micros: fc.constantFrom(0, 6, 7, 8, 999_999),
        value: valuesOf(magnitude),
        scope: fc.constantFrom(null, null, 0 as const, 1 as const),
        plan: fc.constantFrom('pro', 'frei', 1, 1.5, '1', true, 'true', null, undefined, 1e25, {}),
        copies: fc.integer({ min: 1, max: 3 }),
      }),
      300,
    ),
  }),
);

// Biased worlds are of few users with extreme times; most shall have many of all kinds.
const worlds = fc.oneof(
  { weight: 1, arbitrary: world },
  { weight: 3, arbitrary: fc.noBias(world) },
);

/** Undefined in three of four. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const query = fc.record({
  event_type: rarely(fc.subarray(TYPES, { minLength: 1 })),
  granularity: fc.constantFrom('hour', 'day', 'realtime'),
  from: rarely(fc.integer({ min: 0, max: 2_000 })),
  to: rarely(fc.integer({ min: 2 * 1_440, max: 4 * 1_440 })),
  plan: rarely(
    fc.constantFrom('pro', 1, '1', true, null, ['pro', 'frei'], [1.5, null], ['true', 1e25]),
  ),
  country: rarely(fc.constantFrom('DE', ['AT', 'ÖÜ'], null)),
});

const nameOf = (index: number): string => `${NAMES[index % NAMES.length]}-${index}`;

/** The rows of a world: one assignment per user and experiment, and events with ids. */
function rowsOf({ users, events }: World, experiments: readonly MadeExperiment[], base: number) {
  const chosen = new Map(users.map((user) => [`${user.experiment}:${user.name}`, user]));
  const assignments = [...chosen.values()].flatMap((user) => {
    const experiment = experiments[user.experiment];
    if (experiment === undefined) return [];
    const row: AssignmentRow = {
      experiment,
      userId: nameOf(user.name),
      variant: user.variant,
      source: user.source,
      assignedAt: base + user.at * MINUTE + 7,
      context: user.country === null ? {} : { country: user.country },
    };
    return [{ ...row, fate: user.fate }];
  });
  const rows = events.map((event) => ({
    eventId: randomUUID(),
    type: TYPES[event.type] ?? '',
    userId: nameOf(event.name),
    // Some fall exactly on the moment of an assignment, some a microsecond beside it.
    ts: base + event.at * MINUTE + event.micros,
    value: event.value,
    properties: { plan: event.plan, other: 'x' },
    experimentId: event.scope === null ? null : (experiments[event.scope]?.id ?? null),
    copies: event.copies,
  }));
  return { assignments, rows };
}

/** The last state into PostgreSQL; all of the history, repeated and out of order, into ClickHouse. */
async function fill(
  database: TestDatabase,
  clickhouse: TestClickHouse,
  { assignments, rows }: ReturnType<typeof rowsOf>,
): Promise<void> {
  await clear(database, clickhouse);
  const last = assignments.filter(({ fate }) => fate !== 'erased');
  await insertPostgres(database, last, rows);
  const send = (
    users: readonly AssignmentRow[],
    events: readonly EventRow[],
    extra: { _version: number; _deleted?: 0 | 1 },
  ) => insertClickHouse(database, clickhouse, users, events, extra);
  const erased = assignments.filter(({ fate }) => fate === 'erased');
  await send(erased, [], { _version: 9, _deleted: 1 });
  await send(last, [], { _version: 8 });
  for (const copy of [3, 1, 2]) {
    const sent = rows.filter(({ copies }) => copies >= copy).reverse();
    await send([], sent, { _version: copy === 1 ? 5 : 0 });
  }
  const earlier = assignments.map((row) =>
    row.fate === 'moved' ? { ...row, assignedAt: row.assignedAt + DAY } : row,
  );
  await send(earlier, [], { _version: 2 });
}

/** Equal but for the last digits of floating numbers, relative to the size of what was summed. */
function expectSame(a: unknown, b: unknown, scale: number, path = 'results'): void {
  if (typeof a === 'number' && typeof b === 'number') {
    const tolerance = 1e-9 * Math.max(Math.abs(a), Math.abs(b)) + 1e-12 * scale;
    if (Number.isInteger(a) && Number.isInteger(b) && Math.abs(a) < 1e9) expect(a, path).toBe(b);
    else expect(Math.abs(a - b), `${path}: ${a} and ${b}`).toBeLessThanOrEqual(tolerance);
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

const RUNS = Number(process.env.EQUALITY_RUNS ?? 40);

describe('both sources', () => {
  test('give the same results on random experiments', { timeout: 280_000 * (RUNS / 40) }, async ({
    database,
    clickhouse,
  }) => {
    const now = Date.now();
    const deps = await resultsDeps(database, clickhouse, now);
    const experiments = [
      await makeExperiment(database, 'first'),
      await makeExperiment(database, 'second'),
    ];
    const base = Math.floor((now * 1_000) / DAY) * DAY - 6 * DAY;
    const seen = { users: 0, series: 0, realtime: 0, compared: 0 };
    await fc.assert(
      fc.asyncProperty(worlds, query, async (random, { from, to, plan, country, ...rest }) => {
        await fill(database, clickhouse, rowsOf(random, experiments, base));
        const filters: Record<string, unknown> = {
          ...(plan === undefined ? {} : { 'properties.plan': plan }),
          ...(country === undefined ? {} : { 'context.country': country }),
        };
        const isRealtime = rest.granularity === 'realtime';
        const ask = (source: string): Promise<Results> =>
          getResults(
            deps,
            'first',
            ResultsQuery.parse({
              ...rest,
              metrics: [...BUILT_IN_METRICS],
              source,
              min_sample: '2',
              filters: JSON.stringify(filters),
              ...(from === undefined ? {} : { start_date: formatInstant(base + from * MINUTE) }),
              end_date: formatInstant(base + (to ?? (isRealtime ? 2_010 : 4 * 1_440)) * MINUTE),
            }),
          );
        const [postgres, click] = await Promise.all([ask('postgresql'), ask('clickhouse')]);
        const size = random.events.reduce((sum, { value }) => sum + Math.abs(value ?? 0), 0);
        expectSame(postgres.variants, click.variants, size);
        const comparable = ({ summary }: Results) => ({
          ...summary,
          health: summary.health.srm,
          // Rounding may put a tie either way.
          reasons: summary.reasons.length,
        });
        expectSame(comparable(postgres), comparable(click), 1);
        if (postgres.metadata.total_users > 20) seen.users++;
        for (const { time_series, metrics } of postgres.variants) {
          if (time_series.length > 1) seen.series++;
          if (time_series.length > 0 && isRealtime) seen.realtime++;
          if (metrics.avg_value?.vs_control?.status === 'ok') seen.compared++;
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    // The worlds are not trivial ones.
    expect(seen.users).toBeGreaterThan(RUNS / 8);
    expect(seen.series).toBeGreaterThan(RUNS / 8);
    expect(seen.compared).toBeGreaterThan(RUNS / 8);
    if (RUNS >= 40) expect(seen.realtime).toBeGreaterThan(0);
  });
});
