import { describe, expect, it } from 'vitest';
import { goldenText, isRecording, recordGolden } from '../../../test/golden-snapshot.ts';
import { ENGINE_VERSION } from '../results/to-results.ts';
import { BUNDLE_FORMAT, resultText } from './bundle.ts';
import { isUnreadable, readBundle } from './read-bundle.ts';

describe('the recorded bundle', () => {
  it('gives the recorded result, byte for byte', () => {
    const bundle = readBundle(goldenText('bundle'));
    if (isUnreadable(bundle)) throw new Error(bundle.note);
    expect(bundle.format).toBe(BUNDLE_FORMAT);
    const result = resultText(bundle);
    const recorded = goldenText('result');
    if (isRecording && result !== recorded) {
      const { engine_version } = JSON.parse(recorded).metadata;
      expect(engine_version, 'raise ENGINE_VERSION first').not.toBe(ENGINE_VERSION);
      recordGolden('result', result);
      return;
    }
    expect(
      JSON.parse(result),
      'the same bundle gives another result: raise ENGINE_VERSION, run this with RECORD_GOLDEN=1, then npm run format',
    ).toEqual(JSON.parse(recorded));
    expect(result).toBe(recorded);
  });

  it('gives the same result in whatever order the fields of its parts come', () => {
    const turned = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(turned);
      if (typeof value !== 'object' || value === null) return value;
      const entries = Object.entries(value).reverse();
      return Object.fromEntries(entries.map(([name, part]) => [name, turned(part)]));
    };
    const bundle = readBundle(JSON.stringify(turned(JSON.parse(goldenText('bundle')))));
    if (isUnreadable(bundle)) throw new Error(bundle.note);
    // Not by toBe, which would print both.
    expect(resultText(bundle) === goldenText('result')).toBe(true);
  });
});
