import { randomUUID } from 'node:crypto';
import { formatInstant } from '@assay/core';
import { describe, expect } from 'vitest';
import { type TestClickHouse, type TestDatabase, test } from '../../../test/fixtures.ts';
import { expectSameData } from '../../../test/results/expect-same.ts';
import { referenceData, referenceUsers } from '../../../test/results/reference.ts';
import {
  type AssignmentRow,
  type EventRow,
  insertClickHouse,
  insertPostgres,
  makeExperiment,
  resultsDeps,
} from '../../../test/results/worlds.ts';
import { inTransaction } from '../../platform/postgres.ts';
import type { Measure, ResolvedMetric } from './metric.ts';
import type { Question } from './question.ts';
import { askClickHouse } from './store-clickhouse.ts';
import { askPostgres } from './store-postgres.ts';

/** JSON as a property has it, and whether it counts as a number; otherwise it is a missing value. */
const NUMBERS: readonly (readonly [string, boolean])[] = [
  ['12', true],
  ['1.0', true],
  ['-0', true],
  ['0.30000000000000004', true],
  ['123456.789', true],
  ['9007199254740993', true],
  ['12345678901234567890', true],
  ['-98765432109876543210987', true],
  ['123456789012345678901234567890.5', true],
  ['1e21', true],
  ['1e30', true],
  ['1000000000000000000000000000001', true],
  ['1e-29', true],
  ['1e-31', true],
  ['5e-324', true],
  ['-1e-400', true],
  ['1.1e30', false],
  ['-1e300', false],
  ['1e308', false],
  ['1e400', false],
  ['-1e400', false],
  ['"12"', false],
  ['"1e400"', false],
  ['""', false],
  ['true', false],
  ['null', false],
  ['[1]', false],
  ['{"n": 1}', false],
];

/** As JavaScript reads it; what is nearly zero is zero. */
const numberOf = (json: string): number => {
  const number = Number(json);
  return Math.abs(number) < 1e-30 ? 0 : number;
};

const NOW = Date.now();
const AT = NOW * 1_000 - 5 * 86_400_000_000;
const SUM: Measure = {
  types: ['t'],
  filters: [],
  aggregate: 'sum',
  property: 'n',
  fromHours: null,
  toHours: null,
};
const COMMON = { version: null, direction: 'increase', cap: null, cupedDays: null } as const;

const questionOf = (experimentId: number, metrics: readonly ResolvedMetric[]): Question => ({
  experimentId,
  metrics,
  start: formatInstant(AT),
  end: formatInstant(NOW * 1_000),
  seriesEnd: formatInstant(NOW * 1_000),
  retentionFloor: formatInstant(AT - 10 * 86_400_000_000),
  contextFilters: [],
  propertyFilters: [],
  segmentBy: null,
  alpha: 0.05,
  eventTypes: undefined,
  series: { bucket: 'day', start: formatInstant(AT) },
  metricSeries: ['cumulative', 'daily', 'days_since_assignment'],
});

async function askBoth(database: TestDatabase, clickhouse: TestClickHouse, question: Question) {
  const { db } = await resultsDeps(database, clickhouse, NOW);
  const { asOf: _, ...postgres } = await inTransaction(
    db,
    (tx) => askPostgres(tx, question),
    'READ',
  );
  return { postgres, clickhouse: await askClickHouse(clickhouse.client, question) };
}

describe('both stores', () => {
  test('take numbers out of JSON alike, and nothing else', async ({ database, clickhouse }) => {
    const experiment = await makeExperiment(database, 'numbers');
    await resultsDeps(database, clickhouse, NOW);
    const assignments = NUMBERS.map(
      (_, i): AssignmentRow => ({
        experiment,
        userId: `u${i}`,
        variant: 0,
        assignedAt: AT,
        context: { name: `u${i}` },
      }),
    );
    const events = NUMBERS.map(
      (_, i): EventRow => ({
        eventId: randomUUID(),
        type: 't',
        userId: `u${i}`,
        ts: AT + 1,
        value: 1,
      }),
    );
    await insertPostgres(database, assignments, events);
    // As text, since JavaScript has no such numbers.
    const texts = NUMBERS.map(([json]) => `{"a": "1e400", "n": ${json}, "list": [${json}, 7]}`);
    const { rows } = await database.pool.query<{ event_id: string; text: string }>(
      `UPDATE events SET properties = x.json::jsonb
       FROM unnest($1::uuid[], $2::text[]) AS x (id, json) WHERE event_id = x.id
       RETURNING event_id, properties::text AS text`,
      [events.map(({ eventId }) => eventId), texts],
    );
    await insertClickHouse(database, clickhouse, assignments, [], { _version: 1 });
    await clickhouse.client.insert({
      table: 'events',
      values: events.map(({ eventId, userId, type, ts }) => ({
        event_id: eventId,
        user_id: userId,
        type,
        ts: formatInstant(ts),
        properties: rows.find((row) => row.event_id === eventId)?.text,
        _version: 1,
      })),
      format: 'JSONEachRow',
    });
    const answers = await askBoth(database, clickhouse, {
      ...questionOf(experiment.id, [
        {
          ...COMMON,
          key: 'n',
          kind: 'ratio',
          numerator: SUM,
          denominator: { ...SUM, aggregate: 'valued' },
        },
      ]),
      segmentBy: 'name',
      propertyFilters: [{ name: 'a', values: ['1e400'] }],
    });
    for (const [store, answer] of Object.entries(answers)) {
      const found = new Map(
        answer.arms.map(({ segment, data }) => [
          segment,
          data.kind === 'ratio' && data.denominator === 1 ? data.numerator : null,
        ]),
      );
      for (const [i, [json, isNumber]] of NUMBERS.entries()) {
        const expected = isNumber ? numberOf(json) : null;
        expect(found.get(`u${i}`), `${json} in ${store}`).toBe(expected);
      }
    }
  });

  test('bear the largest and the smallest values', async ({ database, clickhouse }) => {
    const experiment = await makeExperiment(database, 'extremes');
    await resultsDeps(database, clickhouse, NOW);
    const values = [1e30, -1e30, 1e30, 1e-200, -1e-200, 5e-324, 1e-29, -0, 0, 1, null, 1e15];
    const ids = Array.from({ length: 60 }, (_, i) => i);
    const assignments = ids.map(
      (i): AssignmentRow => ({ experiment, userId: `u${i}`, variant: i % 3, assignedAt: AT + 7 }),
    );
    const events = ids.flatMap((i) =>
      [-3_600_000_000, 10, 86_400_000_000 + i].map(
        (after, k): EventRow => ({
          eventId: randomUUID(),
          type: 't',
          userId: `u${i}`,
          ts: AT + 7 + after,
          // Each variant has values of all sizes; and the last but few have nothing small.
          value: values[(i * 7 + k) % (i < 50 ? values.length : 3)] ?? null,
        }),
      ),
    );
    await insertPostgres(database, assignments, events);
    await insertClickHouse(database, clickhouse, assignments, events, { _version: 1 });
    const own: Measure = { ...SUM, property: null };
    const percentile = { kind: 'percentile', percentile: 90 } as const;
    const question = questionOf(experiment.id, [
      { ...COMMON, key: 'sum', kind: 'mean', measure: own, isTotal: false, cupedDays: 1 },
      { ...COMMON, key: 'cut', kind: 'mean', measure: own, isTotal: false, cap: percentile },
      {
        ...COMMON,
        key: 'ratio',
        kind: 'ratio',
        numerator: { ...own, aggregate: 'valued' },
        denominator: own,
        cap: percentile,
        cupedDays: 1,
      },
      { ...COMMON, key: 'median', kind: 'quantile', measure: own, p: 0.5 },
      { ...COMMON, key: 'low', kind: 'quantile', measure: own, p: 0.37 },
    ]);
    const answers = await askBoth(database, clickhouse, question);
    // What is nearly zero is zero, in quantiles too.
    const counted = events.map((event) => ({
      ...event,
      value: event.value !== null && Math.abs(event.value) < 1e-30 ? 0 : event.value,
    }));
    const users = referenceUsers(question, assignments, counted);
    for (const [store, answer] of Object.entries(answers)) {
      expect(answer.metricSeries.length, store).toBeGreaterThan(0);
      for (const { metric: key, variantId, data } of answer.arms) {
        const metric = question.metrics.find((each) => each.key === key);
        if (metric === undefined) throw new Error(key);
        const arm = users.filter((user) => user.variantId === variantId);
        const expected = referenceData(metric, question, users, arm, data);
        // Of all arms, since the constant that is subtracted is theirs.
        const { sizes } = referenceData(metric, question, users, users, data);
        expectSameData(data, expected.data, sizes, `${key} in ${store}`);
      }
    }
  });
});
