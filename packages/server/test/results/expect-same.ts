import type { ArmData } from '@assay/core/analysis';
import type { JointMoments } from '@assay/core/stats';
import { expect } from 'vitest';

/** Equal but for the last digits: relative to the numbers, and to the terms they were summed of. */
export function expectClose(a: number | null, b: number | null, terms: number, path: string): void {
  if (a === null || b === null) {
    expect(a, path).toBe(b);
    return;
  }
  const tolerance = 1e-9 * Math.max(Math.abs(a), Math.abs(b)) + 1e-12 * terms;
  expect(Math.abs(a - b), `${path}: ${a} and ${b}`).toBeLessThanOrEqual(tolerance);
}

/**
 * Moments alike to 1e-9 of the deviations they are made of. Where users hardly differ, the digits of
 * their deviations are lost: then to 1e-12 of the squares of the values.
 */
function expectMoments(a: JointMoments, b: JointMoments, sizes: readonly number[], path: string) {
  expect([a.n, a.mean.length], path).toEqual([b.n, b.mean.length]);
  const deviation = a.mean.map((_, i) => {
    const square = Math.max(a.products[i]?.[i] ?? 0, b.products[i]?.[i] ?? 0);
    return Math.sqrt(square) + 0.05 * Math.sqrt(a.n) * (sizes[i] ?? 0);
  });
  for (const [i, row] of a.products.entries()) {
    expectClose(a.mean[i] ?? 0, b.mean[i] ?? 0, sizes[i] ?? 0, `${path}.mean[${i}]`);
    for (const [j, product] of row.entries()) {
      const other = b.products[i]?.[j] ?? Number.NaN;
      const tolerance = 1e-9 * (deviation[i] ?? 0) * (deviation[j] ?? 0);
      expect(
        Math.abs(product - other),
        `${path}.products[${i}][${j}]: ${product} and ${other}`,
      ).toBeLessThanOrEqual(tolerance);
    }
  }
}

/**
 * The same sufficient statistics: counts exactly, floating numbers but for their last digits.
 *
 * @param sizes root mean squares of the terms of each component
 */
export function expectSameData(
  a: ArmData,
  b: ArmData,
  sizes: readonly number[],
  path: string,
): void {
  switch (a.kind) {
    case 'rate':
      if (b.kind !== 'rate') break;
      expect([a.n, a.x, a.joint === null], path).toEqual([b.n, b.x, b.joint === null]);
      if (a.joint !== null && b.joint !== null) expectMoments(a.joint, b.joint, sizes, path);
      return;
    case 'mean':
      if (b.kind !== 'mean') break;
      expectClose(a.total, b.total, a.moments.n * (sizes[0] ?? 0), `${path}.total`);
      expectMoments(a.moments, b.moments, sizes, path);
      return;
    case 'ratio': {
      if (b.kind !== 'ratio') break;
      const { n } = a.moments;
      expectClose(a.numerator, b.numerator, n * (sizes[0] ?? 0), `${path}.numerator`);
      expectClose(a.denominator, b.denominator, n * (sizes[1] ?? 0), `${path}.denominator`);
      expectMoments(a.moments, b.moments, sizes, path);
      return;
    }
    case 'quantile':
      expect(a, path).toEqual(b);
      return;
  }
  expect(a.kind, path).toBe(b.kind);
}
