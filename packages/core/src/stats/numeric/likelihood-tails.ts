/** Where the two tails of outcomes that are no likelier than the one seen end and begin. */
export interface LikelihoodTails {
  /** The last outcome of the lower tail; `min − 1` when it is empty. */
  readonly lowerEnd: number;
  /** The first outcome of the upper tail; `max + 1` when it is empty. */
  readonly upperStart: number;
  /** Whether no outcome is likelier, so that the tails are everything. */
  readonly isAll: boolean;
}

/** Outcomes as likely as the one seen but for rounding count as such, as in R. */
const SLACK = Math.log1p(1e-7);

/**
 * The tails of an exact two-sided test by likelihood, over whole outcomes whose probability rises up
 * to its mode and falls after it, which lets each cut be found by halving.
 */
export function likelihoodTails(
  logPmf: (k: number) => number,
  observed: number,
  mode: number,
  [min, max]: readonly [number, number],
): LikelihoodTails {
  const limit = logPmf(observed) + SLACK;
  if (logPmf(mode) <= limit) return { lowerEnd: mode, upperStart: mode + 1, isAll: true };
  let lowerEnd = min - 1;
  let above = mode;
  while (above - lowerEnd > 1) {
    const middle = Math.floor((lowerEnd + above) / 2);
    if (logPmf(middle) <= limit) lowerEnd = middle;
    else above = middle;
  }
  let below = mode;
  let upperStart = max + 1;
  while (upperStart - below > 1) {
    const middle = Math.floor((below + upperStart) / 2);
    if (logPmf(middle) <= limit) upperStart = middle;
    else below = middle;
  }
  return { lowerEnd, upperStart, isAll: false };
}
