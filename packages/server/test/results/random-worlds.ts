import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { TestClickHouse, TestDatabase } from '../fixtures.ts';
import {
  type AssignmentRow,
  clear,
  type EventRow,
  insertClickHouse,
  insertPostgres,
  type MadeExperiment,
} from './worlds.ts';

export const MINUTE = 60_000_000;
export const DAY = 1_440 * MINUTE;

/** What one random run puts into both stores. Times are whole minutes and a few microseconds. */
export interface World {
  /** Of the values; one a world. */
  readonly magnitude: number;
  readonly users: readonly {
    readonly name: number;
    readonly experiment: 0 | 1;
    readonly variant: number;
    readonly at: number;
    readonly country: string | null;
    readonly tier: unknown;
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
    readonly amount: unknown;
    readonly quantity: unknown;
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
export const TYPES = ['purchase', 'Käufe 🛒', 'view'];
/** Names of properties with numbers: of any sign, and of none below zero. */
export const AMOUNT = `the "amount", o'clock`;
export const QUANTITY = 'quantity';

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

/** What is no number, or one that no event may have. */
const noNumber = fc.constantFrom(undefined, null, true, '12', '', {}, [1], 1e31, -1e300);

// Often the same minute, so that microseconds tell what came first, or what lies within a window.
const minute = (min: number, max: number, often: readonly number[]): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min, max }), fc.constantFrom(...often));

/** Mostly enough to compute with, sometimes nearly nothing. */
const some = <T>(item: fc.Arbitrary<T>, many: number): fc.Arbitrary<T[]> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.array(item, { maxLength: 3 }) },
    { weight: 5, arbitrary: fc.array(item, { minLength: many / 2, maxLength: many, size: 'max' }) },
  );

const world: fc.Arbitrary<World> = fc.constantFrom(1e-6, 1, 1e6).chain((magnitude) =>
  fc.record({
    magnitude: fc.constant(magnitude),
    users: some(
      fc.record({
        name: fc.nat(60),
        experiment: fc.constantFrom(0 as const, 0 as const, 1 as const),
        variant: fc.nat(2),
        at: minute(0, 3 * 1_440, [0, 0, 60, 1_439, 1_440]),
        country: fc.constantFrom('DE', 'DE', 'AT', 'ÖÜ', null),
        tier: fc.constantFrom('gold', '1', 1, 1.5, 0.0001, 1e25, 0, true, null, undefined, {}),
        source: fc.constantFrom('hash', 'hash', 'reported', 'forced'),
        fate: fc.constantFrom('kept', 'kept', 'kept', 'moved', 'erased'),
      }),
      160,
    ),
    events: some(
      fc.record({
        name: fc.nat(64),
        type: fc.nat(2),
        at: minute(-2 * 1_440, 4 * 1_440, [-1_440, -720, 0, 60, 360, 1_440, 1_500, 2_160, 2_895]),
        micros: fc.constantFrom(6, 7, 7, 8, 999_999),
        value: valuesOf(magnitude),
        amount: fc.oneof(
          { weight: 4, arbitrary: valuesOf(magnitude) },
          { weight: 1, arbitrary: noNumber },
        ),
        quantity: fc.oneof(
          { weight: 4, arbitrary: valuesOf(1).map((value) => Math.abs(value ?? 2)) },
          { weight: 1, arbitrary: noNumber },
        ),
        scope: fc.constantFrom(null, null, 0 as const, 1 as const),
        plan: fc.constantFrom('pro', 'frei', 1, 1.5, '1', true, 'true', null, undefined, 1e25, {}),
        copies: fc.integer({ min: 1, max: 3 }),
      }),
      800,
    ),
  }),
);

/** Biased worlds are of few users with extreme times; most shall have many of all kinds. */
export const worlds: fc.Arbitrary<World> = fc.oneof(
  { weight: 1, arbitrary: world },
  { weight: 4, arbitrary: fc.noBias(world) },
);

const nameOf = (index: number): string => `${NAMES[index % NAMES.length]}-${index}`;

export interface WorldRows {
  readonly assignments: readonly (AssignmentRow & Pick<World['users'][number], 'fate'>)[];
  readonly events: readonly (EventRow & { readonly copies: number })[];
}

/** The rows of a world: one assignment per user and experiment, and events with ids. */
export function rowsOf(
  { users, events }: World,
  experiments: readonly MadeExperiment[],
  base: number,
): WorldRows {
  const chosen = new Map(users.map((user) => [`${user.experiment}:${user.name}`, user]));
  const assignments = [...chosen.values()].flatMap((user) => {
    const experiment = experiments[user.experiment];
    if (experiment === undefined) return [];
    const { country, tier } = user;
    const row: AssignmentRow = {
      experiment,
      userId: nameOf(user.name),
      variant: user.variant,
      source: user.source,
      assignedAt: base + user.at * MINUTE + 7,
      context: { ...(country === null ? {} : { country }), tier },
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
    properties: {
      plan: event.plan,
      [AMOUNT]: event.amount,
      [QUANTITY]: event.quantity,
      other: 'x',
    },
    experimentId: event.scope === null ? null : (experiments[event.scope]?.id ?? null),
    copies: event.copies,
  }));
  return { assignments, events: rows };
}

/** The assignments that are left in the end. */
export const lastAssignments = ({ assignments }: WorldRows): WorldRows['assignments'] =>
  assignments.filter(({ fate }) => fate !== 'erased');

/** The last state into PostgreSQL; all of the history, repeated and out of order, into ClickHouse. */
export async function fill(
  database: TestDatabase,
  clickhouse: TestClickHouse,
  world: WorldRows,
): Promise<void> {
  await clear(database, clickhouse);
  const { assignments, events } = world;
  const last = lastAssignments(world);
  await insertPostgres(database, last, events);
  const send = (
    users: readonly AssignmentRow[],
    sent: readonly EventRow[],
    extra: { _version: number; _deleted?: 0 | 1 },
  ) => insertClickHouse(database, clickhouse, users, sent, extra);
  const erased = assignments.filter(({ fate }) => fate === 'erased');
  await send(erased, [], { _version: 9, _deleted: 1 });
  await send(last, [], { _version: 8 });
  for (const copy of [3, 1, 2]) {
    const sent = events.filter(({ copies }) => copies >= copy).reverse();
    await send([], sent, { _version: copy === 1 ? 5 : 0 });
  }
  const earlier = assignments.map((row) =>
    row.fate === 'moved' ? { ...row, assignedAt: row.assignedAt + DAY } : row,
  );
  await send(earlier, [], { _version: 2 });
}
