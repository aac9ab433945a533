import { holmAdjust } from '../stats/index.ts';

// Multiplicity: the goals of an experiment, in all its treatments, are one family.

/**
 * Holm's adjusted p-values of a family, in its order. A secondary metric belongs to none: it explains,
 * and is shown unadjusted; nor does a guardrail, since all of them must hold.
 *
 * @param pValues null where a test was refused or is not released
 * @param isRepeated whether the family is looked at repeatedly: then a test that is not there yet
 *   counts already, or the first ones to come would be tested at the level of a smaller family
 */
export function adjustFamily(
  pValues: readonly (number | null)[],
  isRepeated: boolean,
): readonly (number | null)[] {
  const adjusted = holmAdjust(isRepeated ? pValues.map((p) => p ?? 1) : pValues);
  return pValues.map((p, index) => (p === null ? null : (adjusted[index] ?? null)));
}
