import type { Snapshot } from '@assay/contract';
import { describe, expect } from 'vitest';
import { test } from '../../../test/fixtures.ts';
import {
  addMetrics,
  buy,
  EVERYTHING,
  reproduce,
  rewrite,
  take,
  world,
} from '../../../test/result-snapshots.ts';
import { resultText, type StoredBundle, toTexts } from './bundle.ts';
import { findSnapshot, insertSnapshot } from './store.ts';

describe('snapshots computed anew', () => {
  test.for(['fixed', 'sequential', 'bayesian'] as const)(
    'are computed anew byte for byte: %s',
    async (method, { api }) => {
      await addMetrics(api);
      await world(api, 'stored', { metrics: [{ metric: 'spent', role: 'goal' }] });
      const taken = await take(api, { ...EVERYTHING, method });
      for (const from of ['bundle', 'store'] as const) {
        expect(await reproduce(api, taken, from)).toMatchObject({
          snapshot_id: taken.id,
          from,
          equal: true,
          intact: true,
          engine_version: { stored: taken.engine_version, recomputed: taken.engine_version },
          difference_count: 0,
          differences: [],
          notes: [],
        });
      }
    },
  );

  test('do not change with their metrics, nor with the experiment', async ({ api }) => {
    await addMetrics(api);
    await world(api, 'stored', { metrics: [{ metric: 'spent', role: 'goal' }] });
    const taken = await take(api, { metrics: ['spent', 'basket'] });
    const change = { value_property: 'nothing', direction: 'decrease', cap: { value: 1 } };
    expect((await api.call('PATCH', '/v1/metrics/spent', change)).statusCode).toBe(200);
    expect((await api.call('DELETE', '/v1/metrics/basket')).statusCode).toBe(204);
    const shares = [70, 30].map((allocation_pct, index) => ({
      key: ['control', 'green'][index],
      allocation_pct,
      is_control: index === 0,
    }));
    const patch = { name: 'renamed', variants: shares, analysis: { confidence_level: 99 } };
    expect((await api.call('PATCH', '/v1/experiments/stored', patch)).statusCode).toBe(200);
    for (const action of ['stop', 'archive']) {
      const { statusCode } = await api.call('POST', `/v1/experiments/stored/${action}`);
      expect(statusCode).toBe(200);
    }
    expect((await api.call('GET', `/v1/experiments/stored/snapshots/${taken.id}`)).json()).toEqual(
      taken,
    );
    for (const from of ['bundle', 'store'] as const) {
      expect(await reproduce(api, taken, from)).toMatchObject({ equal: true, notes: [] });
    }
    const later = await take(api, { metrics: ['spent'] });
    const metricOf = ({ result }: Snapshot) =>
      (result.metadata as { metrics: { key: string; version: number }[] }).metrics[0];
    expect([metricOf(taken), metricOf(later)]).toMatchObject([{ version: 1 }, { version: 2 }]);
  });

  test('name by metric and variant what the store has got since', async ({ api }) => {
    await world(api);
    const taken = await take(api, {
      event_type: 'buy',
      metrics: ['conversion_rate', 'value_per_user', 'median_value'],
      segment_by: 'context.country',
    });
    await buy(api, 3, 0, 7);
    expect(await reproduce(api, taken, 'bundle')).toMatchObject({ equal: true });
    const { equal, differences, as_of, difference_count } = await reproduce(api, taken, 'store');
    expect(equal).toBe(false);
    expect((as_of.recomputed ?? '') > (as_of.stored ?? '')).toBe(true);
    const paths = differences.map(({ path }) => path);
    expect(difference_count).toBe(paths.length);
    expect(differences).toContainEqual({
      path: 'statistics.metrics.conversion_rate.green.x',
      stored: 15,
      recomputed: 16,
    });
    expect(differences).toContainEqual({
      path: 'statistics.metrics.conversion_rate.green.segments.DE.x',
      stored: 5,
      recomputed: 6,
    });
    expect(paths).toContain('statistics.metrics.value_per_user.green.total');
    expect(paths).toContain('result.variants[1].metrics.median_value.value');
    expect(paths.filter((path) => /\.control\b|variants\[0\]/.test(path))).toEqual([]);
  });

  test('say when another engine made them', async ({ api }) => {
    await world(api);
    const taken = await take(api);
    const current = taken.engine_version;
    await rewrite(api, taken.id, 'result', (text) => text.replace(current, '0.0.1'));
    await api.deps.db.query(`UPDATE result_snapshots SET engine_version = '0.0.1'`);
    expect(await reproduce(api, taken, 'bundle')).toEqual({
      snapshot_id: taken.id,
      from: 'bundle',
      equal: false,
      intact: true,
      engine_version: { stored: '0.0.1', recomputed: current },
      as_of: { stored: taken.as_of, recomputed: taken.as_of },
      difference_count: 1,
      differences: [
        { path: 'result.metadata.engine_version', stored: '0.0.1', recomputed: current },
      ],
      notes: [expect.stringContaining(`Engine 0.0.1 made it, and ${current} recomputed it`)],
    });
  });

  test('tell when somebody has changed them, and name at most a hundred places', async ({
    api,
  }) => {
    await addMetrics(api);
    await world(api);
    const taken = await take(api, EVERYTHING);
    await api.deps.db.query(`UPDATE result_snapshots SET result = replace(result, '0', '1')`);
    const { equal, intact, difference_count, differences, notes } = await reproduce(
      api,
      taken,
      'bundle',
    );
    expect({ equal, intact, shown: differences.length }).toEqual({
      equal: false,
      intact: false,
      shown: 100,
    });
    expect(difference_count).toBeGreaterThan(100);
    expect(notes).toEqual([
      expect.stringContaining('SHA-256'),
      expect.stringContaining(`first 100 of ${difference_count}`),
    ]);
  });

  test('say that the order of fields differs where nothing else does', async ({ api }) => {
    await world(api);
    const taken = await take(api);
    await rewrite(api, taken.id, 'result', (text) =>
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text)).reverse())),
    );
    expect(await reproduce(api, taken, 'bundle')).toMatchObject({
      equal: false,
      intact: true,
      differences: [],
      notes: ['Only the order of fields differs'],
    });
  });

  test('keep every digit of a number', async ({ api }) => {
    await world(api);
    const taken = await take(api, { event_type: 'buy', metrics: ['value_per_user'] });
    const stored = await findSnapshot(api.deps.db, taken.experiment_id, taken.id);
    if (stored === undefined) throw new Error('it was stored');
    const odd =
      '{"b":[-0,1e-300,5e-324,9007199254740991,0.1,1.7976931348623157e308],"a":1.0 ,"a":2}';
    const { id, created_at, ...summary } = stored;
    const copy = await insertSnapshot(api.deps.db, { ...summary, bundle: odd, result: odd });
    expect(await findSnapshot(api.deps.db, taken.experiment_id, copy.id)).toMatchObject({
      bundle: odd,
      result: odd,
    });
    const bundle = JSON.parse(stored.bundle) as StoredBundle;
    const numbers = [-0, 1e-300, 5e-324, -1e-9, 2 ** 53 - 1, 1e30, 0.1 + 0.2];
    for (const total of numbers) {
      const arms = bundle.sourced.answer.arms.map((arm) => ({
        ...arm,
        data: { ...arm.data, total, moments: { n: 1e15, mean: [total], products: [[total ** 2]] } },
      }));
      const answer = { ...bundle.sourced.answer, arms } as StoredBundle['sourced']['answer'];
      const texts = toTexts({ ...bundle, sourced: { ...bundle.sourced, answer } });
      expect(resultText(JSON.parse(texts.bundle))).toBe(texts.result);
      expect(JSON.parse(texts.result).variants[1].metrics.value_per_user.numerator).toBe(total + 0);
    }
  });
});
