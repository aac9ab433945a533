import { describe, expect } from 'vitest';
import { test } from '../../../test/fixtures.ts';
import {
  goldenText,
  isRecording,
  recordGolden,
  shapeOf,
  takeGolden,
} from '../../../test/golden-snapshot.ts';
import { BUNDLE_FORMAT } from './bundle.ts';

describe('a bundle', () => {
  test('has the shape of the recorded one, or another format', async ({ api }) => {
    const id = await takeGolden(api);
    const { rows } = await api.deps.db.query<{ bundle: string; result: string }>(
      'SELECT bundle, result FROM result_snapshots WHERE id = $1',
      [id],
    );
    const { bundle = '', result = '' } = rows[0] ?? {};
    const [now, recorded] = [bundle, goldenText('bundle')].map((text) => JSON.parse(text));
    const isSameShape = JSON.stringify(shapeOf(now)) === JSON.stringify(shapeOf(recorded));
    if (isRecording && !isSameShape) {
      expect(recorded.format, 'raise BUNDLE_FORMAT first').not.toBe(BUNDLE_FORMAT);
      recordGolden('bundle', bundle);
      recordGolden('result', result);
      return;
    }
    expect(
      shapeOf(now),
      'the shape of bundles has changed: raise BUNDLE_FORMAT, run this with RECORD_GOLDEN=1, then npm run format',
    ).toEqual(shapeOf(recorded));
  });
});
