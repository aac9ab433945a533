import type { Analysis } from './types.ts';

/**
 * The effect, relative to the control, that the present data would find in the first goal with a power
 * of 80 %, in the treatment where it is largest; null without a goal or a precision.
 */
export function minimumDetectableEffect({ metrics }: Analysis): number | null {
  const goal = metrics.find(({ role }) => role === 'goal');
  const effects = goal?.comparisons.flatMap((comparison) => comparison?.detectableEffect ?? []);
  return effects === undefined || effects.length === 0 ? null : Math.max(...effects);
}
