/**
 * The lower branch W₋₁ of Lambert's function, the w ≤ −1 with w·e^w = x, from ln(−x): x itself may
 * underflow.
 *
 * @param logMinusX ln(−x) ≤ −1
 */
export function lambertWm1FromLog(logMinusX: number): number {
  const gap = -1 - logMinusX;
  if (gap <= 0) return -1;
  // A series about the branch point, or the leading terms for x towards 0.
  const s = Math.sqrt(2 * gap);
  let w = gap < 1 ? -1 - s - (s * s) / 3 : logMinusX - Math.log(-logMinusX);
  // Halley's method on w + ln(−w) − ln(−x), which is concave and smooth below −1.
  for (let i = 0; i < 50; i++) {
    const value = w + Math.log(-w) - logMinusX;
    const slope = 1 + 1 / w;
    const step = value / (slope + value / (2 * w * w * slope));
    const next = Math.min(w - step, -1);
    if (Math.abs(next - w) <= 2e-16 * Math.abs(w)) return next;
    w = next;
  }
  return w;
}

/** The lower branch W₋₁ of Lambert's function: the w ≤ −1 with w·e^w = x. @param x −1/e…0 */
export const lambertWm1 = (x: number): number => lambertWm1FromLog(Math.log(-x));
