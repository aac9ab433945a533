/**
 * The root of a function that is monotone on a bracket: inverse quadratic interpolation where the
 * last three points allow it, halving else (Chandrupatla 1997). Infinite values are fine.
 *
 * @param f changes its sign between `low` and `high`; where it does not, the end nearer to a root is
 *   returned
 * @param tolerance of the root, relative to its size
 */
export function findRoot(
  f: (x: number) => number,
  low: number,
  high: number,
  tolerance = 4e-16,
): number {
  // The newest point, the one across the root from it, and the one that was given up last.
  let [newest, opposite, former] = [high, low, low];
  let [fNewest, fOpposite, fFormer] = [f(high), f(low), 0];
  if (fNewest === 0) return newest;
  if (fOpposite === 0) return opposite;
  if (fNewest > 0 === fOpposite > 0) {
    return Math.abs(fNewest) < Math.abs(fOpposite) ? newest : opposite;
  }
  let step = 0.5;
  for (let i = 0; i < 200; i++) {
    const x = newest + step * (opposite - newest);
    const fx = f(x);
    if (fx === 0) return x;
    if (fx > 0 === fNewest > 0) {
      [former, fFormer] = [newest, fNewest];
    } else {
      [former, fFormer] = [opposite, fOpposite];
      [opposite, fOpposite] = [newest, fNewest];
    }
    [newest, fNewest] = [x, fx];
    const best = Math.abs(fNewest) < Math.abs(fOpposite) ? newest : opposite;
    const limit = (tolerance * Math.abs(best)) / Math.abs(opposite - newest);
    if (!(limit < 0.5) || opposite === newest) return best;
    const xi = (newest - opposite) / (former - opposite);
    const phi = (fNewest - fOpposite) / (fFormer - fOpposite);
    const isSmooth = phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi;
    step = isSmooth
      ? (fNewest / (fOpposite - fNewest)) * (fFormer / (fOpposite - fFormer)) +
        ((former - newest) / (opposite - newest)) *
          (fNewest / (fFormer - fNewest)) *
          (fOpposite / (fFormer - fOpposite))
      : 0.5;
    if (!(step > limit)) step = limit;
    if (step > 1 - limit) step = 1 - limit;
  }
  return Math.abs(fNewest) < Math.abs(fOpposite) ? newest : opposite;
}
