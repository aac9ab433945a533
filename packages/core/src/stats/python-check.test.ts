import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readPupils } from '../../test/stats/star.ts';
import { starNumbers } from '../../test/stats/star-numbers.ts';
import { SETTINGS } from '../../test/stats/star-trial.ts';

// A Python with SciPy and statsmodels; `npm test` makes one.
const python = process.env.TEST_PYTHON;
const SCRIPT = fileURLToPath(
  new URL('../../../../spec/statistics/check/check.py', import.meta.url),
);

/** What the script says: of each number ours, its own, and how far they are apart. */
type Report = Readonly<Record<string, { readonly relative_difference: number | null }>>;

function check(numbers: ReadonlyMap<string, number>) {
  // JSON has no infinity, so it goes as text.
  const sent = [...numbers].map(([name, value]) => [
    name,
    Number.isFinite(value) ? value : String(value),
  ]);
  const input = JSON.stringify({ settings: SETTINGS, numbers: Object.fromEntries(sent) });
  const { status, stdout, stderr } = spawnSync(python ?? '', [SCRIPT], { input, encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  const report: Report = JSON.parse(stdout);
  return { status, stderr, report };
}

it.skipIf(python === undefined)(
  'SciPy and statsmodels get the same numbers from the raw STAR trial',
  { timeout: 180_000 },
  () => {
    const numbers = starNumbers(readPupils());
    expect(numbers.size).toBeGreaterThan(2_000);
    // One of them is bent on purpose: a comparison that finds it is one to be believed.
    const bent = 'avg_value.versus.small.welch.pValue';
    const sent = new Map(numbers).set(bent, (numbers.get(bent) ?? 0) * (1 + 1e-8));
    const { status, stderr, report } = check(sent);
    expect(status).toBe(1);
    expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(`^${bent}: `)]);
    expect(Object.keys(report).sort()).toEqual([...numbers.keys()].sort());
    const farthest = Object.entries(report)
      .filter(([name]) => name !== bent)
      .map(([, { relative_difference }]) => relative_difference ?? 1);
    expect(Math.max(...farthest)).toBeLessThan(1e-9);
    expect(report[bent]?.relative_difference).toBeCloseTo(1e-8, 10);
  },
);
