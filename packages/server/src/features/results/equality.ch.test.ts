import { parseInstant } from '@assay/core';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { type TestClickHouse, type TestDatabase, test } from '../../../test/fixtures.ts';
import { expectClose, expectSameData } from '../../../test/results/expect-same.ts';
import { baseOf, questionsOf } from '../../../test/results/random-questions.ts';
import { fill, lastAssignments, rowsOf, worlds } from '../../../test/results/random-worlds.ts';
import {
  type Expected,
  type ReferenceUser,
  referenceData,
  referencePoint,
  referenceSteps,
  referenceUsers,
} from '../../../test/results/reference.ts';
import { makeExperiment, resultsDeps } from '../../../test/results/worlds.ts';
import { inTransaction } from '../../platform/postgres.ts';
import type { ResolvedMetric } from './metric.ts';
import {
  type Answer,
  type ArmOf,
  BUCKET_SECONDS,
  type MetricSeries,
  type Question,
} from './question.ts';
import { askClickHouse } from './store-clickhouse.ts';
import { askPostgres } from './store-postgres.ts';

/** How long new worlds are made; what is found is printed with its seed. */
const MILLISECONDS = Number(process.env.EQUALITY_MS ?? 15_000);

const DAY_SECONDS = BUCKET_SECONDS.day;
const dayOf = (micros: number): number => Math.floor(micros / 1e6 / DAY_SECONDS) * DAY_SECONDS;

const armKey = (arm: ArmOf): string =>
  JSON.stringify([arm.variantId, 'segment' in arm, arm.segment]);
const sorted = (rows: readonly object[]): readonly string[] =>
  rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();

/** Numbers of rows with the same key. */
function countBy<T>(items: readonly T[], keyOf: (item: T) => unknown): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

const usersOf = (arm: ArmOf, users: readonly ReferenceUser[]): readonly ReferenceUser[] =>
  users.filter(
    ({ variantId, segment }) =>
      variantId === arm.variantId && (!('segment' in arm) || segment === arm.segment),
  );

/** Counts that both stores must have exactly, by the reference. */
function expectCounts(answer: Answer, question: Question, users: readonly ReferenceUser[]): void {
  const { segmentBy } = question;
  const arms = new Map([
    ...countBy(users, ({ variantId }) => [variantId, false, undefined]),
    ...(segmentBy === null ? [] : countBy(users, (user) => [user.variantId, true, user.segment])),
  ]);
  expect(new Map(answer.users.map((arm) => [armKey(arm), arm.users]))).toEqual(arms);
  const chosen = users.filter(({ source }) => source !== 'forced');
  const day = ({ assignedAt }: ReferenceUser): number => dayOf(assignedAt);
  const versions = new Map([
    ...countBy(chosen, (user) => [2, user.variantId, null, null, null]),
    ...countBy(chosen, (user) => [2, user.variantId, day(user), null, null]),
    ...countBy(chosen, (user) => [2, user.variantId, null, user.source, null]),
    ...(segmentBy === null
      ? []
      : countBy(chosen, (user) => [2, user.variantId, null, null, [user.segment]])),
  ]);
  const versionKey = (row: Answer['versions'][number]): string =>
    JSON.stringify([
      row.version,
      row.variantId,
      row.day ?? null,
      row.source ?? null,
      'segment' in row ? [row.segment] : null,
    ]);
  expect(new Map(answer.versions.map((row) => [versionKey(row), row.users]))).toEqual(versions);
}

/** The time series of events, by the reference. */
function expectSeries(answer: Answer, question: Question, users: readonly ReferenceUser[]): void {
  const { eventTypes, series } = question;
  const from = Math.max(...[question.start, series.start].map((time) => parseInstant(time) ?? 0));
  const seconds = BUCKET_SECONDS[series.bucket];
  const bucketOf = (ts: number): number => Math.floor(ts / 1e6 / seconds) * seconds;
  const begin = parseInstant(series.start) ?? 0;
  const arrivalOf = (ts: number): number => (ts >= begin ? bucketOf(ts) : dayOf(ts));
  const events = users.flatMap((user, index) =>
    user.events
      .filter(({ ts }) => ts >= user.assignedAt && ts >= from)
      .filter(({ type }) => eventTypes?.includes(type) ?? true)
      .map(({ ts, type }) => ({ index, key: [user.variantId, bucketOf(ts), type] })),
  );
  const counts = countBy(events, ({ key }) => key);
  const distinct = new Map(events.map(({ index, key }) => [JSON.stringify([index, key]), key]));
  const keyOf = ({ variantId, time, eventType }: Answer['series'][number]) =>
    JSON.stringify([variantId, time, eventType]);
  expect(new Map(answer.series.map((row) => [keyOf(row), row.count]))).toEqual(counts);
  expect(new Map(answer.series.map((row) => [keyOf(row), row.users]))).toEqual(
    countBy([...distinct.values()], (key) => key),
  );
  expect(
    new Map(answer.assigned.map((row) => [JSON.stringify([row.variantId, row.time]), row.users])),
  ).toEqual(countBy(users, ({ variantId, assignedAt }) => [variantId, arrivalOf(assignedAt)]));
}

/** The last day that has begun before the end of series. */
const lastDayOf = ({ seriesEnd }: Question): number => dayOf((parseInstant(seriesEnd) ?? 0) - 1);

/** Ages in days, up to beyond what anybody in a world has. */
const AGES = Array.from({ length: 30 }, (_, age) => age);

/** Days that a series has of these users, of one variant, whether or not anything happened on them. */
function daysOf(
  series: MetricSeries,
  question: Question,
  users: readonly ReferenceUser[],
): readonly number[] {
  if (series === 'days_since_assignment') {
    return AGES.filter((age) => referencePoint(series, question, users, age).users.length > 0);
  }
  const joined = Math.min(...users.map(({ assignedAt }) => assignedAt));
  const days: number[] = [];
  const first = dayOf(Math.max(joined, parseInstant(question.start) ?? 0));
  for (let at = first; at <= lastDayOf(question); at += DAY_SECONDS) days.push(at);
  return days;
}

/** That there is a point wherever there has to be one, up to the end of the series. */
function expectPoints(answer: Answer, question: Question, users: readonly ReferenceUser[]): void {
  // Quantiles and funnels have no series.
  const metrics = question.metrics.filter(({ kind }) => kind !== 'quantile' && kind !== 'funnel');
  const variants = [...new Set(users.map(({ variantId }) => variantId))];
  const expected = question.metricSeries.flatMap((series) =>
    variants.flatMap((variantId) => {
      const days = daysOf(series, question, usersOf({ variantId }, users));
      return metrics.flatMap(({ key }) =>
        days.map((at) => JSON.stringify([series, variantId, key, at])),
      );
    }),
  );
  const last = lastDayOf(question);
  const found = answer.metricSeries
    .filter(({ series, at }) => series === 'days_since_assignment' || at <= last)
    .map(({ series, variantId, metric, at }) => JSON.stringify([series, variantId, metric, at]));
  expect(found.sort()).toEqual(expected.sort());
}

const metricOf = ({ metrics }: Question, key: string): ResolvedMetric => {
  const metric = metrics.find((each) => each.key === key);
  if (metric === undefined) throw new Error(`${key} was not asked for`);
  return metric;
};

/**
 * How large the numbers are that statistics are made of: those of the arm, or of all users, whose
 * mean is the constant that is subtracted.
 */
function sizesOf(
  metric: ResolvedMetric,
  question: Question,
  users: readonly ReferenceUser[],
  { data, sizes }: Expected,
): readonly number[] {
  const whole = referenceData(metric, question, users, users, data);
  return whole.sizes.map((size, i) => Math.max(size, sizes[i] ?? 0));
}

/** All statistics of an answer, by the reference. */
function expectData(
  name: string,
  answer: Answer,
  question: Question,
  users: readonly ReferenceUser[],
): void {
  expect(answer.arms.length).toBe(answer.users.length * question.metrics.length);
  for (const arm of answer.arms) {
    const metric = metricOf(question, arm.metric);
    const path = `${name} ${armKey(arm)} ${JSON.stringify(metric)}`;
    const own = usersOf(arm, users);
    const expected = referenceData(metric, question, users, own, arm.data);
    expectSameData(arm.data, expected.data, sizesOf(metric, question, users, expected), path);
  }
  for (const arm of answer.steps) {
    const metric = metricOf(question, arm.metric);
    if (metric.kind !== 'funnel') throw new Error('only funnels have steps');
    expect(arm.users).toEqual(referenceSteps(metric, question, usersOf(arm, users)));
  }
  for (const { series, metric: key, variantId, at, data } of answer.metricSeries) {
    const metric = metricOf(question, key);
    const point = referencePoint(series, question, usersOf({ variantId }, users), at);
    const expected = referenceData(metric, question, users, point.users, data, point.within);
    const path = `${name} ${series} ${at} ${variantId} ${JSON.stringify(metric)}`;
    const sizes = sizesOf(metric, question, users, expected);
    expectSameData(data, expected.data, sizes, path);
  }
}

/** What two stores answer to one question. */
function expectSameAnswers(
  a: Answer,
  b: Answer,
  question: Question,
  users: readonly ReferenceUser[],
): void {
  for (const part of ['users', 'versions', 'series', 'assigned', 'steps'] as const) {
    expect(sorted(a[part]), part).toEqual(sorted(b[part]));
  }
  const others = new Map(b.arms.map((arm) => [armKey(arm) + arm.metric, arm.data]));
  expect(others.size).toBe(a.arms.length);
  for (const arm of a.arms) {
    const metric = metricOf(question, arm.metric);
    const other = others.get(armKey(arm) + arm.metric);
    if (other === undefined) throw new Error(`${armKey(arm)} is in one store only`);
    const own = referenceData(metric, question, users, usersOf(arm, users), arm.data);
    const sizes = sizesOf(metric, question, users, own);
    expectSameData(arm.data, other, sizes, `both ${armKey(arm)} ${JSON.stringify(metric)}`);
  }
  expect(a.caps.map(({ metric }) => metric)).toEqual(b.caps.map(({ metric }) => metric));
  for (const [index, { metric, ...caps }] of a.caps.entries()) {
    for (const [part, cap] of Object.entries(caps)) {
      const other = b.caps[index]?.[part as keyof typeof caps] ?? null;
      expectClose(cap, other, 0, `cap of ${metric}`);
    }
  }
  const place = ({ series, metric, variantId, at }: Answer['metricSeries'][number]): string =>
    JSON.stringify([series, metric, variantId, at]);
  expect(a.metricSeries.map(place).sort()).toEqual(b.metricSeries.map(place).sort());
}

describe('both stores', () => {
  test('answer alike, and as the rows say', {
    timeout: 60_000 + 4 * MILLISECONDS,
  }, async ({ database, clickhouse }: { database: TestDatabase; clickhouse: TestClickHouse }) => {
    const now = Date.now();
    const { db } = await resultsDeps(database, clickhouse, now);
    const experiments = [
      await makeExperiment(database, 'first'),
      await makeExperiment(database, 'second'),
    ];
    // The stores must not need to be told whether assignments were reported.
    await database.pool.query('UPDATE experiments SET has_reported = id % 2 = 0');
    const base = baseOf(now);
    const id = experiments[0]?.id ?? 0;
    const seen = { runs: 0, users: 0, points: 0, segments: 0, kinds: new Set<string>() };
    const cases = worlds.chain((world) =>
      fc.tuple(fc.constant(world), questionsOf(id, base, world.magnitude)),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([world, question]) => {
        const rows = rowsOf(world, experiments, base);
        await fill(database, clickhouse, rows);
        const [{ asOf: _, ...postgres }, click] = await Promise.all([
          inTransaction(db, (tx) => askPostgres(tx, question), 'READ'),
          askClickHouse(clickhouse.client, question),
        ]);
        const users = referenceUsers(question, lastAssignments(rows), rows.events);
        expectCounts(postgres, question, users);
        expectSeries(postgres, question, users);
        expectPoints(postgres, question, users);
        expectData('PostgreSQL', postgres, question, users);
        expectData('ClickHouse', click, question, users);
        expectSameAnswers(postgres, click, question, users);
        seen.runs++;
        if (users.length > 20) seen.users++;
        if (postgres.metricSeries.some(({ data }) => data.kind !== 'rate')) seen.points++;
        if (question.segmentBy !== null) seen.segments++;
        for (const { kind } of question.metrics) seen.kinds.add(kind);
      }),
      { numRuns: 100_000, interruptAfterTimeLimit: MILLISECONDS, endOnFailure: true },
    );
    // Enough of them are not trivial ones.
    if (seen.runs < 15) return;
    expect(seen.users).toBeGreaterThan(seen.runs / 8);
    expect(seen.kinds.size).toBe(5);
    expect(seen.points).toBeGreaterThan(0);
    expect(seen.segments).toBeGreaterThan(0);
  });
});
