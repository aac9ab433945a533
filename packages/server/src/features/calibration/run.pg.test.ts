import { describe, expect } from 'vitest';
import { startedExperiment } from '../../../test/app.ts';
import { define, fill, never, read, request } from '../../../test/calibration.ts';
import { type TestDatabase, test } from '../../../test/fixtures.ts';
import { ADVISORY_LOCKS } from '../../platform/advisory-locks.ts';
import { CALIBRATION_LIMITS } from './measure.ts';
import { runCalibrations } from './run.ts';

/** Ends the session that runs calibrations, as the death of its process does. */
const endSession = ({ pool }: TestDatabase) =>
  pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks
     WHERE locktype = 'advisory' AND objid = $1
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [ADVISORY_LOCKS.runCalibrations],
  );

describe('a worker that is lost', () => {
  test('leaves its calibration to the next, three times at most', async ({ api, database }) => {
    await fill(database, await startedExperiment(api, 'shop'), 1_200);
    const { id } = await request(api, { splits: 2_000 });
    const isRunning = async () => (await read(api, id)).progress > 0;
    for (const attempt of [1, 2]) {
      const worker = runCalibrations(api.deps, never);
      const lost = expect(worker).rejects.toThrow();
      await expect.poll(isRunning, { timeout: 20_000 }).toBe(true);
      // Meanwhile another has nothing to do.
      await runCalibrations(api.deps, never);
      expect(await read(api, id)).toMatchObject({ status: 'running', attempts: attempt });
      await endSession(database);
      await lost;
      expect(await read(api, id)).toMatchObject({ status: 'running', attempts: attempt });
      await database.pool.query('UPDATE calibrations SET progress = 0');
    }
    await database.pool.query('UPDATE calibrations SET splits = 100');
    await runCalibrations(api.deps, never);
    expect(await read(api, id)).toMatchObject({ status: 'done', attempts: 3 });
    await database.pool.query(`UPDATE calibrations SET status = 'running', result = NULL`);
    await runCalibrations(api.deps, never);
    expect(await read(api, id)).toMatchObject({
      status: 'failed',
      error: 'It was begun 3 times and not ended; the log of the worker says why.',
    });
  });

  test('that is told to stop gives its calibration back, unharmed', async ({ api, database }) => {
    await fill(database, await startedExperiment(api, 'shop'), 1_200);
    const { id } = await request(api, { splits: 2_000 });
    const controller = new AbortController();
    const worker = runCalibrations(api.deps, controller.signal);
    await expect
      .poll(async () => (await read(api, id)).progress, { timeout: 20_000 })
      .toBeGreaterThan(0);
    controller.abort();
    await worker;
    expect(await read(api, id)).toMatchObject({ status: 'queued', attempts: 0, progress: 0 });
  });

  test('and one that waits for the database gives it back too', async ({ api, database }) => {
    await fill(database, await startedExperiment(api, 'shop'), 1_200);
    const { id } = await request(api, { splits: 100 });
    const blocker = await database.pool.connect();
    await blocker.query('BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE');
    const waiting = async () =>
      (
        await database.pool.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )
      ).rowCount;
    const controller = new AbortController();
    const worker = runCalibrations(api.deps, controller.signal);
    await expect.poll(waiting, { interval: 10 }).toBe(1);
    controller.abort();
    await worker;
    await blocker.query('ROLLBACK');
    blocker.release();
    expect(await read(api, id)).toMatchObject({ status: 'queued', attempts: 0 });
  });
});

describe('a calibration that cannot be', () => {
  test('fails with a sentence', async ({ api, database }) => {
    await define(api);
    await fill(database, await startedExperiment(api, 'shop'), 1_200);
    await startedExperiment(api, 'empty');
    const errorOf = async (body: object, limits: Partial<typeof CALIBRATION_LIMITS>) => {
      const { id } = await request(api, body);
      await runCalibrations(api.deps, never, { ...CALIBRATION_LIMITS, ...limits });
      const { status, error, finished_at } = await read(api, id);
      expect([status, finished_at === null]).toEqual(['failed', false]);
      return error;
    };
    expect(await errorOf({ experiment: 'empty' }, {})).toBe(
      'It has 0 users; a calibration needs 100.',
    );
    expect(await errorOf({ experiment: 'shop' }, { milliseconds: 0 })).toMatch(
      /^It did not end within 0 minutes \(\d+ of 500 splits\); ask for fewer splits or metrics\.$/,
    );
    const read_ = { ...CALIBRATION_LIMITS.read, milliseconds: 1 };
    expect(await errorOf({ experiment: 'shop' }, { read: read_ })).toBe(
      'Its events could not be read within 0.001 seconds; ask for metrics of rarer events.',
    );
    const { id } = await request(api, { experiment: 'shop', metrics: ['views'] });
    await api.call('DELETE', '/v1/metrics/views', undefined, { headers: { 'if-match': '"1"' } });
    await runCalibrations(api.deps, never);
    expect((await read(api, id)).error).toContain('"views" is not a metric');
  });
});
