import { describe, expect, it } from 'vitest';
import { goldenText } from '../../../test/golden-snapshot.ts';
import { BUNDLE_FORMAT } from './bundle.ts';
import { isUnreadable, readBundle } from './read-bundle.ts';

const golden = () => JSON.parse(goldenText('bundle'));
/** Why a changed bundle cannot be read. */
function problemOf(change: (bundle: ReturnType<typeof golden>) => unknown) {
  const bundle = golden();
  const changed = change(bundle);
  const read = readBundle(typeof changed === 'string' ? changed : JSON.stringify(changed));
  if (!isUnreadable(read)) throw new Error('it can be read');
  return read;
}

describe('a stored bundle', () => {
  it('is read as it was written', () => {
    expect(readBundle(goldenText('bundle'))).toEqual(golden());
  });

  it('is of the first format where it names none', () => {
    const { differences } = problemOf(({ format, engineVersion, ...old }) => old);
    expect(differences).toEqual([{ path: 'bundle.format', stored: 1, recomputed: BUNDLE_FORMAT }]);
  });

  it.each([0, BUNDLE_FORMAT + 1, '1', { a: 1 }])('of format %j is not read', (format) => {
    const { differences, note } = problemOf((bundle) => ({ ...bundle, format, sourced: null }));
    expect(differences).toEqual([
      { path: 'bundle.format', stored: format, recomputed: BUNDLE_FORMAT },
    ]);
    expect(note).toContain(`has format ${JSON.stringify(format)}`);
  });

  const damages: [string, (bundle: ReturnType<typeof golden>) => unknown, readonly object[]][] = [
    ['no JSON', () => '{"format":1', [{ path: 'bundle', stored: '{"format":1' }]],
    ['a list', () => [], [{ path: 'bundle', stored: [] }]],
    ['a part less', ({ options, ...rest }) => rest, [{ path: 'bundle.options' }]],
    [
      'another sort of answer',
      (bundle) => ({
        ...bundle,
        uses: [{ metric: 'spent' }],
        sourced: {
          ...bundle.sourced,
          answer: { ...bundle.sourced.answer, arms: 'none', caps: [1] },
        },
      }),
      [
        { path: 'bundle.uses[0].metric', stored: 'spent' },
        { path: 'bundle.sourced.answer.arms', stored: 'none' },
        { path: 'bundle.sourced.answer.caps[0]', stored: 1 },
      ],
    ],
  ];
  it.each(damages)('names where it is damaged: %s', (_, change, expected) => {
    const { differences, note } = problemOf(change);
    expect(differences).toEqual(expected);
    expect(note).toContain('is damaged');
  });
});
