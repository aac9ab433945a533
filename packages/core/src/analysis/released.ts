import { type Flag, isArmReleasable, type Sample } from '../stats/index.ts';
import type { ArmData } from './types.ts';

/**
 * Whether an arm is large enough for what is said of it to hold at repeated looks (§4.2): 100 users, of
 * a rate ten with and ten without success, of a ratio a denominator well above zero.
 *
 * @param flags of the sample, or of the pair that it is compared in
 */
export const isReleased = (data: ArmData, { n }: Sample, flags: readonly Flag[]): boolean =>
  isArmReleasable(data.kind === 'rate' ? { n, x: data.x } : { n }) &&
  // Nor is a ratio nearly normal before.
  !flags.includes('WEAK_DENOMINATOR');
