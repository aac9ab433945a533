import type { Assignment } from '@assay/contract';
import { bucketOf } from '@assay/core';
import { describe, expect } from 'vitest';
import { startedExperiment, startTestApp } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';

const pathOf = (key: string, user: string): string =>
  `/v1/experiments/${key}/assignment/${encodeURIComponent(user)}`;

describe('assignment', () => {
  test('is stored before it is answered, and stays', async ({ api, database }) => {
    await startedExperiment(api, 'sticky', { seed: 's' });
    for (const user of ['u1', 'Jürgen Größe', '😀'.repeat(64), '...', 'a/b?c#d', '%2F']) {
      const first = (await api.call('GET', pathOf('sticky', user))).json<Assignment>();
      expect(first).toMatchObject({
        user_id: user,
        source: 'hash',
        reason: 'assigned',
        persisted: true,
        bucket: bucketOf(user, 's'),
      });
      const { rows } = await database.pool.query(
        'SELECT variant_id, bucket FROM assignments WHERE user_id = $1',
        [user],
      );
      expect(rows).toEqual([{ variant_id: first.variant?.id, bucket: first.bucket }]);
      const again = (await api.call('GET', pathOf('sticky', user))).json<Assignment>();
      expect(again).toEqual({ ...first, source: 'db' });
      const refreshed = await api.call('GET', `${pathOf('sticky', user)}?force_refresh=true`);
      expect(refreshed.json()).toEqual(again);
    }
  });

  test('survives new weights, and keeps the version under which it was made', async ({ api }) => {
    await startedExperiment(api, 'weights');
    const users = Array.from({ length: 50 }, (_, index) => `user-${index}`);
    const before = await Promise.all(users.map((user) => api.call('GET', pathOf('weights', user))));
    await api.call('PATCH', '/v1/experiments/weights', {
      variants: [
        { key: 'control', allocation_pct: 0, is_control: true },
        { key: 'green', allocation_pct: 100 },
      ],
    });
    const after = await Promise.all(
      users.map((user) => api.call('GET', `${pathOf('weights', user)}?force_refresh=true`)),
    );
    after.forEach((answer, index) => {
      expect(answer.json()).toEqual({ ...before[index]?.json(), source: 'db' });
    });
    const fresh = (await api.call('GET', pathOf('weights', 'new'))).json<Assignment>();
    expect(fresh).toMatchObject({ variant: { key: 'green' }, source: 'hash', version: 3 });
  });

  test('gives nobody outside of the coverage anything, and says why', async ({ api }) => {
    await startedExperiment(api, 'narrow', { coverage_pct: 0 });
    expect((await api.call('GET', pathOf('narrow', 'u1'))).json()).toMatchObject({
      variant: null,
      source: null,
      reason: 'outside_coverage',
      persisted: false,
    });
  });

  test('pauses for new users only, and stops for all', async ({ api }) => {
    await startedExperiment(api, 'paused');
    const first = (await api.call('GET', pathOf('paused', 'known'))).json();
    await api.call('POST', '/v1/experiments/paused/pause');
    expect((await api.call('GET', pathOf('paused', 'known'))).json().variant).toEqual(
      first.variant,
    );
    const unknown = (await api.call('GET', pathOf('paused', 'unknown'))).json();
    expect(unknown).toMatchObject({ variant: null, reason: 'not_running' });
    await api.call('POST', '/v1/experiments/paused/stop');
    const stopped = (await api.call('GET', pathOf('paused', 'known'))).json();
    expect(stopped).toMatchObject({ variant: null, reason: 'not_running' });
  });

  test('obeys an override without storing it', async ({ api, database }) => {
    await startedExperiment(api, 'override');
    const path = '/v1/experiments/override/overrides/qa';
    for (const variant of ['green', 'control']) {
      await api.call('PUT', path, { variant });
      expect((await api.call('GET', pathOf('override', 'qa'))).json()).toMatchObject({
        variant: { key: variant },
        source: 'override',
        persisted: false,
      });
    }
    const { rowCount } = await database.pool.query('SELECT FROM assignments');
    expect(rowCount).toBe(0);
    expect((await api.call('DELETE', path)).statusCode).toBe(204);
    expect((await api.call('GET', pathOf('override', 'qa'))).json().source).toBe('hash');
    expect((await api.call('DELETE', path)).json().code).toBe('override_not_found');
  });

  test('answers all running experiments at once, and keeps the context', async ({
    api,
    database,
  }) => {
    await startedExperiment(api, 'first');
    await startedExperiment(api, 'second');
    const body = { user_id: 'u1', context: { country: 'DE' } };
    const all = (await api.call('POST', '/v1/assignments', body)).json();
    expect(all.assignments.map(({ experiment_key }: Assignment) => experiment_key).sort()).toEqual([
      'first',
      'second',
    ]);
    const { rows } = await database.pool.query('SELECT DISTINCT context FROM assignments');
    expect(rows).toEqual([{ context: { country: 'DE' } }]);
    const unknown = await api.call('POST', '/v1/assignments', { ...body, experiments: ['nope'] });
    expect(unknown.json().code).toBe('experiment_not_found');
  });

  test('is one answer, whoever of two processes is asked first', async ({ api, database }) => {
    const other = await startTestApp(database);
    // Weights change all the while, so that the two decide differently in between.
    await startedExperiment(api, 'race', { coverage_pct: 100 });
    const users = Array.from({ length: 300 }, (_, index) => `racer-${index}`);
    const edits = (async () => {
      for (const share of [90, 10, 70, 30]) {
        await api.call('PATCH', '/v1/experiments/race', {
          variants: [
            { key: 'control', allocation_pct: share, is_control: true },
            { key: 'green', allocation_pct: 100 - share },
          ],
        });
      }
    })();
    await other.deps.snapshot.refresh();
    const answers = await Promise.all(
      users.flatMap((user) =>
        [api, other].map(async (side) =>
          (await side.call('GET', pathOf('race', user))).json<Assignment>(),
        ),
      ),
    );
    await edits;
    const { rows } = await database.pool.query<{ user_id: string; variant_id: number }>(
      'SELECT user_id, variant_id FROM assignments',
    );
    const stored = new Map(rows.map((row) => [row.user_id, row.variant_id]));
    expect(stored.size).toBe(users.length);
    for (const { user_id, variant, persisted } of answers) {
      expect(persisted).toBe(true);
      expect(variant?.id).toBe(stored.get(user_id));
    }
    expect(answers.filter(({ source }) => source === 'hash')).toHaveLength(users.length);
    await other.stop();
  });

  test('takes a change made by another process within a second', async ({ api, database }) => {
    const other = await startTestApp(database);
    await startedExperiment(api, 'heard');
    await expect
      .poll(async () => (await other.call('GET', pathOf('heard', 'u1'))).statusCode, {
        timeout: 1_000,
      })
      .toBe(200);
    await other.stop();
  });
});
