/**
 * The pause before retry number `attempt` (0, 1, …): doubling from `firstMs` up to `maxMs`, with
 * full jitter in its upper half, so that many processes do not come back at once.
 */
export function backoffMs(attempt: number, firstMs: number, maxMs: number): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 20));
  return ceiling / 2 + Math.random() * (ceiling / 2);
}
