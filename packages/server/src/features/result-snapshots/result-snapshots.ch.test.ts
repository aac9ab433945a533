import type { Reproduction, Snapshot } from '@assay/contract';
import { formatInstant } from '@assay/core';
import { describe, expect } from 'vitest';
import { startTestApp } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';
import {
  type AssignmentRow,
  type EventRow,
  insertClickHouse,
  insertPostgres,
  makeExperiment,
} from '../../../test/results/worlds.ts';

const NOW = Date.now() * 1_000;
const DAY = 86_400e6;

describe('snapshots from ClickHouse', () => {
  test('reproduce, and name what came late', async ({ database, clickhouse }) => {
    const api = await startTestApp(database, clickhouse);
    const experiment = await makeExperiment(database, 'columns');
    await api.deps.snapshot.refresh();
    const assignments: AssignmentRow[] = Array.from({ length: 90 }, (_, index) => ({
      experiment,
      userId: `u${index}`,
      variant: index % 3,
      assignedAt: NOW - 3 * DAY,
      context: { country: index % 2 === 0 ? 'DE' : null },
    }));
    const buy = (user: number, value: number): EventRow => ({
      eventId: `00000000-0000-4000-8000-${String(user).padStart(12, '0')}`,
      type: 'buy',
      userId: `u${user}`,
      ts: NOW - 2 * DAY,
      value,
    });
    const events = Array.from({ length: 40 }, (_, index) => buy(index, 1 / (index + 3)));
    await insertPostgres(database, assignments, events);
    await insertClickHouse(database, clickhouse, assignments, events, { _version: 1 });
    // Behind, but not by the days of the series.
    const watermark = formatInstant(NOW - 3_123_457);
    await clickhouse.client.insert({
      table: 'cdc_watermark',
      values: [{ source: 'pgoutput', committed_at: watermark, position: '0/1' }],
      format: 'JSONEachRow',
    });

    const url = '/v1/experiments/columns/snapshots';
    const taken = await api.call('POST', url, {
      name: 'from columns',
      source: 'clickhouse',
      metrics: ['conversion_rate', 'value_per_user', 'avg_value', 'median_value', 'sum_value'],
      event_type: 'buy',
      segment_by: 'context.country',
      series: ['cumulative', 'days_since_assignment'],
      filters: { 'properties.plan': [null, 'pro'] },
      min_sample: 5,
    });
    expect(taken.statusCode, taken.body).toBe(201);
    const { id, source, as_of } = taken.json<Snapshot>();
    expect([source, as_of]).toEqual(['clickhouse', watermark]);
    const reproduce = async (from: string): Promise<Reproduction> =>
      (await api.call('GET', `${url}/${id}/reproduce?from=${from}`)).json();
    expect(await reproduce('bundle')).toMatchObject({ equal: true, intact: true, differences: [] });
    expect(await reproduce('store')).toMatchObject({ equal: true, differences: [], notes: [] });

    const { bundle } = (await api.call('GET', `${url}/${id}?include=bundle`)).json();
    expect(bundle.sourced).toMatchObject({ source: 'clickhouse', asOf: watermark });
    // Sums, versions, series, users, quantiles; points and users of each metric series.
    expect(bundle.sourced.statements).toHaveLength(9);
    for (const { sql, parameters } of bundle.sourced.statements) {
      const rows = await clickhouse.client.query({
        query: sql,
        query_params: parameters,
        format: 'JSONEachRow',
      });
      expect(await rows.json()).not.toHaveLength(0);
    }
    expect(JSON.stringify(bundle)).not.toMatch(/"u\d+"/);

    await insertClickHouse(database, clickhouse, [], [buy(61, 7)], { _version: 2 });
    const { equal, differences } = await reproduce('store');
    expect(equal).toBe(false);
    expect(differences).toContainEqual({
      path: 'statistics.metrics.conversion_rate.blue.x',
      stored: 13,
      recomputed: 14,
    });
    expect(differences).toContainEqual({
      path: 'statistics.metrics.conversion_rate.blue.segments[null].x',
      stored: 7,
      recomputed: 8,
    });
    expect(await reproduce('bundle')).toMatchObject({ equal: true });
    await api.stop();
  });
});
