import { expect, it } from 'vitest';
import { alphaOf } from './alpha.ts';

it.each([
  [95, 0.05],
  [99.9, 0.001],
  [99.99, 0.0001],
  [50, 0.5],
])('a confidence level of %d %% leaves an alpha of %d', (level, alpha) => {
  expect(alphaOf(level)).toBe(alpha);
});
