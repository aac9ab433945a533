import type { Experiment } from '@assay/contract';
import { describe, expect } from 'vitest';
import type { TestApp } from '../../test/app.ts';
import { test } from '../../test/fixtures.ts';
import { changeStatusWhenDue } from '../features/experiments/service.ts';
import { startSchedule } from './schedule.ts';

const in_ = (ms: number) => new Date(Date.now() + ms).toISOString();

async function scheduled(api: TestApp, key: string, times: Record<string, string>): Promise<void> {
  const variants = [
    { key: 'control', allocation_pct: 50, is_control: true },
    { key: 'green', allocation_pct: 50 },
  ];
  await api.call('POST', '/v1/experiments', { key, name: key, variants, ...times });
  const answer = await api.call('POST', `/v1/experiments/${key}/start`);
  expect(answer.json<Experiment>().status).toBe('scheduled');
}

describe('the schedule', () => {
  test('starts and stops an experiment on its times, once, with any number of workers', async ({
    api,
  }) => {
    await scheduled(api, 'timed', { starts_at: in_(700), ends_at: in_(2_500) });
    const workers = [startSchedule(api.deps), startSchedule(api.deps), startSchedule(api.deps)];
    const read = async () => (await api.call('GET', '/v1/experiments/timed')).json<Experiment>();
    await expect.poll(async () => (await read()).status, { timeout: 5_000 }).toBe('running');
    await expect.poll(async () => (await read()).status, { timeout: 5_000 }).toBe('stopped');
    await Promise.all(workers.map(({ stop }) => stop()));
    const experiment = await read();
    expect(experiment.started_at?.localeCompare(experiment.starts_at ?? '')).toBe(1);
    const { items } = (await api.call('GET', '/v1/experiments/timed/history')).json();
    const told = items.map(({ action, actor }: Record<string, string>) => [action, actor]);
    expect(told.slice(0, 2)).toEqual([
      ['experiment.stopped', 'schedule'],
      ['experiment.started', 'schedule'],
    ]);
    expect(told).toHaveLength(4);
  });

  test('leaves alone what is not due, also when it was due a moment ago', async ({ api }) => {
    await scheduled(api, 'moved', { starts_at: in_(3_600_000) });
    const actor = { name: 'schedule', requestId: null };
    expect(await changeStatusWhenDue(api.deps, actor, 'moved', 'start')).toBe(false);
    expect(await changeStatusWhenDue(api.deps, actor, 'moved', 'stop')).toBe(false);
    const later = { ...api.deps, now: () => Date.now() + 3_700_000 };
    expect(await changeStatusWhenDue(later, actor, 'moved', 'start')).toBe(true);
    expect(await changeStatusWhenDue(later, actor, 'moved', 'start')).toBe(false);
  });

  test('goes on with the others when one cannot be changed', async ({ api, database }) => {
    await scheduled(api, 'a-held', { starts_at: in_(100) });
    await scheduled(api, 'b-free', { starts_at: in_(100) });
    const other = await database.pool.connect();
    await other.query('BEGIN');
    await other.query(`SELECT 1 FROM experiments WHERE key = 'a-held' FOR UPDATE`);
    const worker = startSchedule(api.deps);
    const status = async (key: string) =>
      (await api.call('GET', `/v1/experiments/${key}`)).json<Experiment>().status;
    await expect.poll(() => status('b-free'), { timeout: 5_000 }).toBe('running');
    expect(await status('a-held')).toBe('scheduled');
    await other.query('ROLLBACK');
    other.release();
    await expect.poll(() => status('a-held'), { timeout: 5_000 }).toBe('running');
    await worker.stop();
  });
});
