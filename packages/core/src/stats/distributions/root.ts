/**
 * The root of a function that is monotone on a bracket, by bisection with a secant step where that
 * stays inside and makes progress (Illinois variant of regula falsi).
 *
 * @param f changes its sign between `low` and `high`
 * @param tolerance of the root, relative to its size
 */
export function findRoot(
  f: (x: number) => number,
  low: number,
  high: number,
  tolerance = 1e-15,
): number {
  let a = low;
  let b = high;
  let fa = f(a);
  let fb = f(b);
  if (fa === 0) return a;
  if (fb === 0) return b;
  let stuck = 0;
  for (let i = 0; i < 300; i++) {
    const width = Math.abs(b - a);
    if (width <= tolerance * Math.max(Math.abs(a), Math.abs(b)) || width === 0) break;
    const secant = b - (fb * (b - a)) / (fb - fa);
    const isInside = secant > Math.min(a, b) && secant < Math.max(a, b);
    // Every third step halves, so that a flat function cannot hold it up.
    const x = isInside && i % 3 !== 2 ? secant : (a + b) / 2;
    const fx = f(x);
    if (fx === 0) return x;
    if (fx > 0 === fb > 0) {
      b = x;
      fb = fx;
      if (stuck === 1) fa /= 2;
      stuck = 1;
    } else {
      a = x;
      fa = fx;
      if (stuck === -1) fb /= 2;
      stuck = -1;
    }
  }
  return Math.abs(fa) < Math.abs(fb) ? a : b;
}
