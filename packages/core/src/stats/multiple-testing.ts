/**
 * Holm's step-down adjustment (Holm 1979): with it, the chance of any false discovery in the
 * family stays below the level.
 *
 * @param pValues in any order; null ones are not tested and stay null
 */
export function holmAdjust(pValues: readonly (number | null)[]): readonly (number | null)[] {
  const tested = pValues.flatMap((p, index) => (p === null ? [] : [{ p, index }]));
  tested.sort((a, b) => a.p - b.p);
  const adjusted: (number | null)[] = pValues.map(() => null);
  let running = 0;
  tested.forEach(({ p, index }, rank) => {
    running = Math.max(running, Math.min(1, (tested.length - rank) * p));
    adjusted[index] = running;
  });
  return adjusted;
}
