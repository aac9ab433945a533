import { formatInstant } from '@assay/core';
import { describe, expect } from 'vitest';
import { startTestApp } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';
import { makeExperiment } from '../../../test/results/worlds.ts';

describe('results', () => {
  test('choose the source by how far ClickHouse has come', async ({ database, clickhouse }) => {
    const api = await startTestApp(database, clickhouse);
    await makeExperiment(database, 'first');
    await api.deps.snapshot.refresh();
    const sourceOf = async (parameters: string) =>
      (await api.call('GET', `/v1/experiments/first/results?${parameters}`)).json().metadata;
    expect(await sourceOf('source=auto')).toMatchObject({
      source: 'postgresql',
      source_note: 'ClickHouse is behind',
    });
    const mark = (at: number) =>
      clickhouse.client.insert({
        table: 'cdc_watermark',
        values: [{ source: 'pgoutput', committed_at: formatInstant(at * 1_000), position: '0/0' }],
        format: 'JSONEachRow',
      });
    await mark(Date.now() - 3_600_000);
    const old = new Date(Date.now() - 7_200_000).toISOString();
    expect((await sourceOf('source=auto')).source).toBe('postgresql');
    expect((await sourceOf(`source=auto&end_date=${old}`)).source).toBe('clickhouse');
    await mark(Date.now());
    expect((await sourceOf('source=auto')).source).toBe('clickhouse');
    expect((await sourceOf('granularity=realtime')).source).toBe('postgresql');
    await api.stop();
  });
});
