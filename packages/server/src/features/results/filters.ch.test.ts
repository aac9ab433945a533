import { randomUUID } from 'node:crypto';
import { type FilterScalar, ResultsQuery } from '@assay/contract';
import { describe, expect } from 'vitest';
import { type TestClickHouse, type TestDatabase, test } from '../../../test/fixtures.ts';
import {
  type AssignmentRow,
  clear,
  type EventRow,
  insertClickHouse,
  insertPostgres,
  makeExperiment,
  resultsDeps,
} from '../../../test/results/worlds.ts';
import { getResults, type ResultsDeps } from './service.ts';

const STORED: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  'true',
  'null',
  '',
  '1',
  '1.0',
  0,
  1,
  1.5,
  -1,
  0.1,
  0.30000000000000004,
  0.3,
  1e-7,
  5e-324,
  123_456.789,
  9_007_199_254_740_991,
  12_345_678_901_234_567_000,
  2 ** 63,
  2 ** 64,
  -(2 ** 64),
  1e21,
  -1e300,
  Number.MAX_VALUE,
  'ünï 😀',
  'u\u0308',
  "it's",
  'a"b\\c\td',
  '12345678901234567890, "x": 98765432109876543210}',
  [],
  [1],
  {},
  { plan: 1 },
];
const isScalar = (value: unknown): value is FilterScalar => typeof value !== 'object' || !value;

const NAMES = [
  'plan',
  'a.b',
  "it's",
  'q"uote',
  'back\\slash',
  'Ö😀',
  'tab\there',
  '{x:String}',
  '0',
  '-1',
  '$1',
  '%s?',
  ' ',
  '__proto__',
];

const NOW = Date.now();
const AT = NOW * 1_000 - 86_400_000_000;

async function fill(
  database: TestDatabase,
  clickhouse: TestClickHouse,
  assignments: readonly AssignmentRow[],
  events: readonly EventRow[],
): Promise<void> {
  await clear(database, clickhouse);
  await insertPostgres(database, assignments, events);
  await insertClickHouse(database, clickhouse, assignments, events, { _version: 1 });
}

/** Users and events that a filter leaves, by each store. */
async function counts(deps: ResultsDeps, filters: string) {
  const ask = async (source: string) => {
    const query = ResultsQuery.parse({ metrics: 'event_count', source, filters });
    const { metadata, variants } = await getResults(deps, 'filtered', query);
    return [metadata.total_users, variants[0]?.metrics.event_count?.value];
  };
  return { postgresql: await ask('postgresql'), clickhouse: await ask('clickhouse') };
}

const event = (userId: string, properties: Record<string, unknown>): EventRow => ({
  eventId: randomUUID(),
  type: 't',
  userId,
  ts: AT + 1,
  value: 1,
  properties,
});

describe('filters', () => {
  test('compare the JSON value by type, alike in both stores', { timeout: 240_000 }, async ({
    database,
    clickhouse,
  }) => {
    const deps = await resultsDeps(database, clickhouse, NOW);
    const experiment = await makeExperiment(database, 'filtered');
    // Beside a value that a parser may refuse stands another, which must stay readable.
    const document = (value: unknown) => ({ before: 'x', plan: value, list: [value, 7] });
    await fill(
      database,
      clickhouse,
      STORED.map((value, index) => ({
        experiment,
        userId: `u${index}`,
        variant: 0,
        assignedAt: AT,
        context: document(value),
      })),
      STORED.map((value, index) => event(`u${index}`, document(value))),
    );
    const expected = (wanted: readonly unknown[]): number =>
      STORED.filter((value) => wanted.includes(value ?? null)).length;
    const lists: readonly (readonly FilterScalar[])[] = [
      ...STORED.filter(isScalar).map((value) => [value ?? null]),
      ['pro', 1],
      [1, '1', true],
      [null, 'true', 1e21],
      [0.30000000000000004, 0.1],
    ];
    for (const [index, wanted] of lists.entries()) {
      const value = wanted.length === 1 ? wanted[0] : wanted;
      const all = STORED.length;
      const count = expected(wanted);
      const byProperty = await counts(deps, JSON.stringify({ 'properties.plan': value }));
      expect(byProperty, `events with ${JSON.stringify(wanted)}`).toEqual({
        postgresql: [all, count],
        clickhouse: [all, count],
      });
      // Contexts go the same way; a part of the lists says so.
      if (index % 4 !== 0) continue;
      const byContext = await counts(deps, JSON.stringify({ 'context.plan': value }));
      expect(byContext, `users with ${JSON.stringify(wanted)}`).toEqual({
        postgresql: [count, count],
        clickhouse: [count, count],
      });
    }
    const other = await counts(deps, '{"properties.before":"x","context.before":["x","y"]}');
    expect(other.clickhouse).toEqual([STORED.length, STORED.length]);
    expect(other.postgresql).toEqual(other.clickhouse);
  });

  test('take names literally, whatever is in them', { timeout: 240_000 }, async ({
    database,
    clickhouse,
  }) => {
    const deps = await resultsDeps(database, clickhouse, NOW);
    const experiment = await makeExperiment(database, 'filtered');
    const documents = NAMES.map(
      (name) => JSON.parse(`{${JSON.stringify(name)}: "yes"}`) as Record<string, unknown>,
    );
    await fill(
      database,
      clickhouse,
      documents.map((context, index) => ({
        experiment,
        userId: `u${index}`,
        variant: 0,
        assignedAt: AT,
        context,
      })),
      documents.map((properties, index) => event(`u${index}`, properties)),
    );
    for (const name of NAMES) {
      const one = await counts(deps, JSON.stringify({ [`properties.${name}`]: 'yes' }));
      expect(one, name).toEqual({ postgresql: [NAMES.length, 1], clickhouse: [NAMES.length, 1] });
      const both = await counts(
        deps,
        JSON.stringify({ [`properties.${name}`]: 'yes', [`context.${name}`]: ['no', 'yes'] }),
      );
      expect(both, name).toEqual({ postgresql: [1, 1], clickhouse: [1, 1] });
    }
    // A dot is part of the name, not a step into an object.
    const nested = [event('u0', { a: { b: 'yes' } }), event('u1', { 'a.b': 'yes' })];
    await fill(
      database,
      clickhouse,
      ['u0', 'u1'].map((userId) => ({ experiment, userId, variant: 0, assignedAt: AT })),
      nested,
    );
    const dotted = await counts(deps, '{"properties.a.b":"yes"}');
    expect(dotted).toEqual({ postgresql: [2, 1], clickhouse: [2, 1] });
  });
});
