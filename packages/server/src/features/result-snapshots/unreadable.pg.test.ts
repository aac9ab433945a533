import { describe, expect } from 'vitest';
import type { TestApp } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';
import { reproduce, rewrite, take, world } from '../../../test/result-snapshots.ts';
import { BUNDLE_FORMAT } from './bundle.ts';

const FROM = ['bundle', 'store'] as const;

/** What is written to the log, by level. */
function logged({ deps }: TestApp): { readonly level: string; readonly fields: unknown }[] {
  const lines: { level: string; fields: unknown }[] = [];
  for (const level of ['warn', 'error'] as const) {
    deps.log[level] = ((fields: unknown) => lines.push({ level, fields })) as never;
  }
  return lines;
}

/** Changes the bundle of a snapshot, with its hash. */
const change = (
  api: TestApp,
  id: number,
  changed: (bundle: Record<string, unknown>) => unknown,
): Promise<void> => rewrite(api, id, 'bundle', (text) => JSON.stringify(changed(JSON.parse(text))));

describe('snapshots that this engine cannot compute anew', () => {
  test.for(FROM)('of another format say so: from the %s', async (from, { api }) => {
    await world(api);
    const taken = await take(api);
    await change(api, taken.id, (bundle) => ({
      ...bundle,
      format: BUNDLE_FORMAT + 1,
      sourced: [],
    }));
    await api.deps.db.query(`UPDATE result_snapshots SET engine_version = '9.0.0'`);
    expect(await reproduce(api, taken, from)).toEqual({
      snapshot_id: taken.id,
      from,
      equal: false,
      intact: true,
      engine_version: { stored: '9.0.0', recomputed: taken.engine_version },
      as_of: { stored: taken.as_of, recomputed: null },
      difference_count: 1,
      differences: [
        { path: 'bundle.format', stored: BUNDLE_FORMAT + 1, recomputed: BUNDLE_FORMAT },
      ],
      notes: [expect.stringContaining('this engine reads format')],
    });
  });

  test.for(FROM)('made before formats had numbers say so: from the %s', async (from, { api }) => {
    await world(api);
    const taken = await take(api);
    await change(api, taken.id, ({ format, engineVersion, ...bundle }) => bundle);
    expect(await reproduce(api, taken, from)).toMatchObject({
      equal: false,
      differences: [{ path: 'bundle.format', stored: 1, recomputed: BUNDLE_FORMAT }],
    });
  });

  test.for(FROM)('name the part that is missing: from the %s', async (from, { api }) => {
    await world(api);
    const taken = await take(api);
    await change(api, taken.id, ({ options, ...bundle }) => bundle);
    const lines = logged(api);
    expect(await reproduce(api, taken, from)).toMatchObject({
      equal: false,
      intact: true,
      difference_count: 1,
      differences: [{ path: 'bundle.options' }],
      notes: [expect.stringContaining('damaged')],
    });
    expect(lines).toEqual([
      { level: 'warn', fields: { snapshot: taken.id, places: ['bundle.options'] } },
    ]);
  });

  test.for(FROM)(
    'say in words that computing failed, and log why: from the %s',
    async (from, { api }) => {
      await world(api);
      const taken = await take(api);
      await change(api, taken.id, (bundle) => ({ ...bundle, uses: [{ metric: {} }] }));
      const lines = logged(api);
      expect(await reproduce(api, taken, from)).toMatchObject({
        equal: false,
        intact: true,
        as_of: { recomputed: null },
        difference_count: 1,
        differences: [{ path: 'result', stored: taken.result }],
        notes: [expect.stringContaining('Computing from its bundle failed')],
      });
      expect(lines).toEqual([
        { level: 'error', fields: { snapshot: taken.id, from, err: expect.any(Error) } },
      ]);
    },
  );

  test('say what the stored text is where it is no JSON', async ({ api }) => {
    await world(api);
    const taken = await take(api);
    await rewrite(api, taken.id, 'result', () => 'gone');
    for (const from of FROM) {
      expect(await reproduce(api, taken, from)).toMatchObject({
        equal: false,
        differences: [{ path: 'result', stored: 'gone', recomputed: taken.result }],
      });
    }
    await rewrite(api, taken.id, 'bundle', () => 'gone');
    for (const from of FROM) {
      expect(await reproduce(api, taken, from)).toMatchObject({
        equal: false,
        differences: [{ path: 'bundle', stored: 'gone' }],
      });
    }
  });
});
