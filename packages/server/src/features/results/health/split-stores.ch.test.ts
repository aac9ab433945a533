import { formatInstant } from '@assay/core';
import { describe, expect } from 'vitest';
import { type TestClickHouse, type TestDatabase, test } from '../../../../test/fixtures.ts';
import {
  type AssignmentRow,
  insertClickHouse,
  insertPostgres,
  makeExperiment,
  resultsDeps,
} from '../../../../test/results/worlds.ts';
import { inTransaction } from '../../../platform/postgres.ts';
import { SPLIT_STORES, type SplitAnswer } from './split-stores.ts';

const NOW = Date.now();
const DAY = 86_400_000_000;
const SOURCES = ['hash', 'reported', 'forced'] as const;

const sorted = (answer: SplitAnswer) =>
  answer.map((counts) => counts.map((row) => JSON.stringify(Object.entries(row).sort())).sort());

describe('both stores', () => {
  test('count the split alike, by each attribute', async ({
    database,
    clickhouse,
  }: {
    database: TestDatabase;
    clickhouse: TestClickHouse;
  }) => {
    const { db } = await resultsDeps(database, clickhouse, NOW);
    const experiment = await makeExperiment(database, 'split');
    const other = await makeExperiment(database, 'other');
    const rows = Array.from(
      { length: 200 },
      (_, index): AssignmentRow => ({
        experiment: index % 20 === 19 ? other : experiment,
        userId: `u${index}`,
        variant: index % 3,
        source: SOURCES[index % 7] ?? 'hash',
        assignedAt: NOW * 1_000 - (index % 5) * DAY,
        context: index % 4 === 0 ? { plan: 'pro' } : { country: ['DE', 'ÖÜ'][index % 2], plan: 7 },
      }),
    );
    await insertPostgres(database, rows, []);
    await insertClickHouse(database, clickhouse, rows, [], { _version: 1 });
    const ask = async (attributes: readonly string[]) => {
      const end = formatInstant(NOW * 1_000 - DAY);
      const question = { experimentId: experiment.id, end, attributes };
      const postgres = await inTransaction(db, (tx) => SPLIT_STORES.postgres(tx, question), 'READ');
      const click = await SPLIT_STORES.clickhouse(clickhouse.client, question);
      expect(sorted(click.answer)).toEqual(sorted(postgres.answer));
      expect([postgres, click].map(({ statements }) => statements.length)).toEqual(
        Array.from({ length: 2 }, () => Math.max(1, attributes.length)),
      );
      return postgres.answer;
    };
    const [plain = [], ...more] = await ask([]);
    expect(more).toEqual([]);
    const whole = plain.filter(({ day, source }) => day === undefined && source === undefined);
    const counted = rows.filter(
      (row, index) => row.experiment === experiment && row.source !== 'forced' && index % 5 !== 0,
    );
    expect(whole.reduce((sum, { users }) => sum + users, 0)).toBe(counted.length);
    const [country = [], plan = []] = await ask(['country', 'plan']);
    const segmentsOf = (counts: typeof plain) =>
      new Set(counts.flatMap(({ segment }) => (segment === undefined ? [] : [segment])));
    expect(segmentsOf(country)).toEqual(new Set(['DE', 'ÖÜ', null]));
    expect(segmentsOf(plan)).toEqual(new Set(['pro', '7']));
  });
});
