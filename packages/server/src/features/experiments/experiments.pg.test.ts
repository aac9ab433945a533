import type { Experiment } from '@assay/contract';
import { EXPERIMENT_STATUSES, type ExperimentStatus, TRANSITIONS } from '@assay/core';
import { describe, expect } from 'vitest';
import { startedExperiment, type TestApp } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';

const VARIANTS = [
  { key: 'control', allocation_pct: 50, is_control: true },
  { key: 'green', allocation_pct: 50 },
];

describe('an experiment', () => {
  test('is created with its ranges, and read by id and by key', async ({ api }) => {
    const created = await api.call('POST', '/v1/experiments', {
      key: 'checkout',
      name: 'Checkout',
      coverage_pct: 33.33,
      variants: [
        { key: 'control', allocation_pct: 33.33, is_control: true },
        { key: 'green', allocation_pct: 66.67, config: { color: 'grün' } },
      ],
    });
    expect(created.statusCode).toBe(201);
    expect(created.headers).toMatchObject({ etag: '"1"', location: '/v1/experiments/checkout' });
    const experiment = created.json<Experiment>();
    expect(experiment).toMatchObject({ status: 'draft', version: 1, coverage_pct: 33.33 });
    expect(experiment.variants.map(({ buckets }) => buckets)).toEqual([
      [0, 1_110],
      [3_333, 5_555],
    ]);
    for (const ref of ['checkout', String(experiment.id)]) {
      expect((await api.call('GET', `/v1/experiments/${ref}`)).json()).toEqual(experiment);
    }
  });

  test('is listed page by page, by status and by a part of its name', async ({ api }) => {
    for (const key of ['one', 'two', 'three']) {
      await api.call('POST', '/v1/experiments', { key, name: `The ${key}`, variants: VARIANTS });
    }
    await api.call('POST', '/v1/experiments/two/start');
    const first = (await api.call('GET', '/v1/experiments?limit=2')).json();
    expect(first.items.map(({ key }: Experiment) => key)).toEqual(['three', 'two']);
    const rest = (await api.call('GET', `/v1/experiments?cursor=${first.next_cursor}`)).json();
    expect(rest.items.map(({ key }: Experiment) => key)).toEqual(['one']);
    expect(rest.next_cursor).toBeNull();
    const running = (await api.call('GET', '/v1/experiments?status=running')).json();
    expect(running.items.map(({ key }: Experiment) => key)).toEqual(['two']);
    const found = (await api.call('GET', '/v1/experiments?query=THE%20ON')).json();
    expect(found.items.map(({ key }: Experiment) => key)).toEqual(['one']);
  });

  test('keeps what makes its assignments after the first start', async ({ api }) => {
    await startedExperiment(api, 'fixed');
    const path = '/v1/experiments/fixed';
    const refused = await api.call('PATCH', path, {
      seed: 'other',
      variants: [
        { key: 'control', allocation_pct: 50 },
        { key: 'blue', allocation_pct: 50, is_control: true },
      ],
    });
    expect(refused.statusCode).toBe(409);
    expect(refused.json()).toMatchObject({ code: 'immutable_after_start' });
    expect(refused.json().errors.map(({ path: field }: { path: string }) => field)).toEqual([
      'seed',
      'variants.0.is_control',
      'variants.1.key',
      'variants.1.is_control',
    ]);
    const edited = await api.call('PATCH', path, {
      coverage_pct: 50,
      variants: [
        { key: 'control', allocation_pct: 20, is_control: true },
        { key: 'green', allocation_pct: 80 },
      ],
    });
    expect(edited.json()).toMatchObject({ version: 3, coverage_pct: 50 });
    expect(edited.json().variants[1].buckets).toEqual([2_000, 6_000]);
  });

  test('changes only the version that the caller has seen', async ({ api }) => {
    await api.call('POST', '/v1/experiments', { key: 'tag', name: 'Tag', variants: VARIANTS });
    const path = '/v1/experiments/tag';
    const headers = { 'if-match': '"1"' };
    const first = await api.call('PATCH', path, { name: 'A' }, { headers });
    expect([first.statusCode, first.headers.etag]).toEqual([200, '"2"']);
    const second = await api.call('PATCH', path, { name: 'B' }, { headers });
    expect([second.statusCode, second.json().code]).toEqual([412, 'version_mismatch']);
    const both = await Promise.all(
      ['C', 'D'].map((name) =>
        api.call('PATCH', path, { name }, { headers: { 'if-match': '"2"' } }),
      ),
    );
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([200, 412]);
  });

  test('tells its history, written in the transaction of each change', async ({ api }) => {
    await startedExperiment(api, 'told');
    await api.call('POST', '/v1/experiments/told/stop');
    const { items } = (await api.call('GET', '/v1/experiments/told/history')).json();
    expect(items.map(({ action }: { action: string }) => action)).toEqual([
      'experiment.stopped',
      'experiment.started',
      'experiment.created',
    ]);
    expect(items[0]).toMatchObject({
      before: { status: 'running' },
      after: { status: 'stopped' },
      actor: expect.stringContaining('environment'),
    });
  });

  test('is cloned as a draft with another seed, and deleted as a draft only', async ({ api }) => {
    await startedExperiment(api, 'source');
    const clone = await api.call('POST', '/v1/experiments/source/clone', { key: 'copy' });
    const source = (await api.call('GET', '/v1/experiments/source')).json();
    expect(clone.json()).toMatchObject({ key: 'copy', status: 'draft', started_at: null });
    expect(clone.json().seed).not.toBe(source.seed);
    expect((await api.call('DELETE', '/v1/experiments/source')).json().code).toBe('not_a_draft');
    expect((await api.call('DELETE', '/v1/experiments/copy')).statusCode).toBe(204);
    expect((await api.call('GET', '/v1/experiments/copy')).json().code).toBe(
      'experiment_not_found',
    );
  });
});

/** Brings a new experiment into a status by the shortest way. */
async function inStatus({ call }: TestApp, key: string, status: ExperimentStatus): Promise<void> {
  const starts_at = status === 'scheduled' ? '2199-01-01T00:00:00Z' : null;
  await call('POST', '/v1/experiments', { key, name: key, variants: VARIANTS, starts_at });
  const ways: Record<ExperimentStatus, readonly string[]> = {
    draft: [],
    scheduled: ['start'],
    running: ['start'],
    paused: ['start', 'pause'],
    stopped: ['start', 'stop'],
    archived: ['archive'],
  };
  for (const action of ways[status]) await call('POST', `/v1/experiments/${key}/${action}`);
  expect((await call('GET', `/v1/experiments/${key}`)).json().status).toBe(status);
}

describe('the lifecycle', () => {
  const actions = ['start', 'pause', 'resume', 'stop', 'archive'] as const;
  test.for(EXPERIMENT_STATUSES)('from %s follows the table', async (status, { api }) => {
    for (const action of actions) {
      const key = `${status}-${action}`;
      await inStatus(api, key, status);
      const answer = await api.call('POST', `/v1/experiments/${key}/${action}`);
      const to = TRANSITIONS[status][action];
      if (to === null) expect(answer.json().code).toBe('transition_not_allowed');
      else expect(answer.json().status).toBe(to);
    }
  });
});
