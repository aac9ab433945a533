import { describe, expect } from 'vitest';
import { startedExperiment } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';

const minutesAgo = (minutes: number): string =>
  new Date(Date.now() - minutes * 60_000).toISOString();

describe('exposures', () => {
  test('store the assignment, the earliest time of it, and conflicts', async ({
    api,
    database,
  }) => {
    await startedExperiment(api, 'exp');
    const send = async (...exposures: object[]) =>
      (await api.call('POST', '/v1/exposures', { exposures })).json();
    const of = (variant: string, timestamp: string) => ({
      experiment: 'exp',
      user_id: 'u1',
      variant,
      timestamp,
    });
    const stored = async () =>
      (
        await database.pool.query(
          `SELECT v.key, a.source, a.assigned_at = $1::timestamptz AS at
           FROM assignments a JOIN variants v ON v.id = a.variant_id`,
          [early],
        )
      ).rows;
    const [earliest, early, late] = [minutesAgo(90), minutesAgo(30), minutesAgo(10)];

    expect(await send(of('green', late))).toMatchObject({ accepted: 1 });
    expect(await stored()).toEqual([{ key: 'green', source: 'reported', at: false }]);
    expect(await send(of('green', late))).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await send(of('green', early))).toMatchObject({ accepted: 1 });
    expect(await stored()).toEqual([{ key: 'green', source: 'reported', at: true }]);
    // A later one, and another variant even earlier, move nothing.
    expect(await send(of('green', minutesAgo(5)), of('control', minutesAgo(60)))).toMatchObject({
      duplicates: 1,
      rejected: 1,
      results: [{ status: 'duplicate' }, { status: 'rejected', code: 'assignment_conflict' }],
    });
    expect(await stored()).toEqual([{ key: 'green', source: 'reported', at: true }]);
    const conflicts = async () =>
      (
        await database.pool.query(
          `SELECT user_id, reason, first_seen_at = $1::timestamptz AS at FROM assignment_conflicts`,
          [earliest],
        )
      ).rows;
    expect(await conflicts()).toEqual([{ user_id: 'u1', reason: 'another_variant', at: false }]);
    // In whatever order they come, a conflict has been seen since its earliest report.
    await send(of('control', earliest));
    await send(of('control', late));
    expect(await conflicts()).toEqual([{ user_id: 'u1', reason: 'another_variant', at: true }]);
    const answer = await api.call('GET', '/v1/experiments/exp/assignment/u1');
    expect(answer.json()).toMatchObject({ variant: { key: 'green' }, source: 'reported' });
  });

  test('of a client token are believed only where the hash agrees', async ({ api, database }) => {
    await startedExperiment(api, 'honest');
    const token = await api.tokenOf('client');
    const given = (await api.call('GET', '/v1/experiments/honest/assignment/probe')).json();
    const other = given.variant.key === 'green' ? 'control' : 'green';
    await database.pool.query('DELETE FROM assignments');
    const send = async (exposure: object) =>
      (await api.call('POST', '/v1/exposures', { exposures: [exposure] }, { token })).json();
    const lie = { experiment: 'honest', user_id: 'probe', variant: other };
    expect(await send(lie)).toMatchObject({ results: [{ code: 'assignment_conflict' }] });
    const backDated = { ...lie, variant: given.variant.key, timestamp: minutesAgo(60 * 24) };
    expect(await send(backDated)).toMatchObject({ results: [{ code: 'before_start' }] });
    expect(await send({ ...lie, variant: given.variant.key })).toMatchObject({ accepted: 1 });
    const conflicts = await database.pool.query('SELECT reason FROM assignment_conflicts');
    expect(conflicts.rows).toEqual([{ reason: 'never_given' }]);
  });

  test('name what is wrong with each item, and store the good ones', async ({ api, database }) => {
    await startedExperiment(api, 'mixed');
    await api.call('POST', '/v1/experiments', {
      key: 'draft',
      name: 'Draft',
      variants: [
        { key: 'control', allocation_pct: 50, is_control: true },
        { key: 'green', allocation_pct: 50 },
      ],
    });
    const good = { experiment: 'mixed', user_id: 'good', variant: 'green' };
    const exposures = [
      { ...good, experiment: 'nope' },
      { ...good, experiment: 'draft' },
      { ...good, variant: 'blue' },
      { ...good, timestamp: '2001-01-01T00:00:00Z' },
      { ...good, user_id: '\0' },
      { ...good, context: { note: '\ud800' } },
      good,
    ];
    const answer = (await api.call('POST', '/v1/exposures', { exposures })).json();
    expect(answer.results.map(({ code }: { code?: string }) => code)).toEqual([
      'unknown_experiment',
      'not_started',
      'unknown_variant',
      'timestamp_out_of_window',
      'invalid_item',
      'invalid_item',
      undefined,
    ]);
    expect(answer.results[4].errors).toEqual([
      { path: 'user_id', message: 'must be valid Unicode without NUL' },
    ]);
    const { rows } = await database.pool.query('SELECT user_id FROM assignments');
    expect(rows).toEqual([{ user_id: 'good' }]);
  });
});
