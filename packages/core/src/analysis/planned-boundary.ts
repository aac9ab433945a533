import { normalIsf, normalLogCdf, normalSf } from '../stats/index.ts';
import { findRoot } from '../stats/numeric/root.ts';

// Lan & DeMets' O'Brien–Fleming spending for results that are open all the time. Looks at any moment
// are looks at every moment, and for these the boundary has a closed form: 2·Q(b/√t) is the chance
// that Brownian motion B(t) = Z√t has reached b by then (reflection principle), so that a boundary
// which is constant for B spends 2·Q(b/√t), whoever looks, and when. A grid of looks, with the
// boundaries of the recursion, would promise less between its points than it holds.
//
// Spending everything that way would leave nothing for the planned end (2.24 instead of 1.96 for
// 5 %). With one half spent on the way, the end needs 1.98: paths that cross at the end have mostly
// crossed before. A power of 80 % takes 0.7 % more users than the fixed test.

/** The part of the error that looks before the planned end may spend. */
const RUNNING_SHARE = 0.5;

/** A look at an experiment with a plan. */
export interface PlannedLook {
  /** Information there is of the planned, > 0, at most 1. */
  readonly fraction: number;
  /** The planned end: its boundary spends all that is left. */
  readonly isEnd: boolean;
}

/** The level b of B(t) that spends the running share of a one-sided budget up to t = 1. */
const runningLevel = (budget: number): number => normalIsf((RUNNING_SHARE * budget) / 2);

/**
 * One-sided error of the end's boundary: P(B has reached b on the way, or Z ≥ z at the end), by
 * reflection, for a z below the running boundary.
 */
const errorAtEnd = (z: number, level: number, fraction: number): number =>
  normalSf(z) + normalSf((2 * level) / Math.sqrt(fraction) - z);

/**
 * What |Z|, or Z in a one-sided test, must reach at this look. All looks together reject a true
 * hypothesis with a chance of at most alpha.
 *
 * @param alpha of all sides together
 */
export function plannedCritical(
  alpha: number,
  sided: 1 | 2,
  { fraction, isEnd }: PlannedLook,
): number {
  const budget = alpha / sided;
  const level = runningLevel(budget);
  const running = level / Math.sqrt(fraction);
  if (!isEnd) return running;
  const low = normalIsf(budget);
  return findRoot((z) => errorAtEnd(z, level, fraction) - budget, low, running);
}

/**
 * The repeated p-value (Jennison & Turnbull 2000): the smallest level whose boundary is reached at
 * this look. Valid whenever one looks, and below alpha exactly when `plannedCritical` is exceeded.
 */
export function plannedPValue(z: number, sided: 1 | 2, { fraction, isEnd }: PlannedLook): number {
  const distance = sided === 2 ? Math.abs(z) : z;
  const running = Math.min(
    1,
    ((2 * sided) / RUNNING_SHARE) * normalSf(distance * Math.sqrt(fraction)),
  );
  if (!isEnd || distance <= 0) return running;
  // Never below the p-value of one look, never above that of the running boundary.
  const once = sided * normalSf(distance);
  if (once === 0 || once >= running) return running;
  const excess = (logAlpha: number): number => {
    const budget = Math.exp(logAlpha) / sided;
    return errorAtEnd(distance, runningLevel(budget), fraction) - budget;
  };
  return Math.exp(findRoot(excess, Math.log(once), Math.log(running)));
}

/**
 * The chance that an effect is found, in its own direction, by whoever looks all the time until the
 * planned end: that Brownian motion with this drift reaches the running boundary or ends beyond the
 * end's (reflection principle with a drift).
 *
 * @param drift mean of Z at the planned end, ≥ 0
 */
export function plannedPower(alpha: number, sided: 1 | 2, drift: number): number {
  const level = runningLevel(alpha / sided);
  const end = plannedCritical(alpha, sided, { fraction: 1, isEnd: true });
  const onTheWay = Math.exp(2 * drift * level + normalLogCdf(end - 2 * level - drift));
  return normalSf(end - drift) + onTheWay;
}

/**
 * The planned users over those of a test with the same errors that is read once.
 *
 * @param power alpha / sided < power < 1
 */
export function plannedInflation(alpha: number, sided: 1 | 2, power: number): number {
  const fixed = normalIsf(alpha / sided) + normalIsf(1 - power);
  const end = plannedCritical(alpha, sided, { fraction: 1, isEnd: true });
  const shortfall = (drift: number): number => plannedPower(alpha, sided, drift) - power;
  // With the drift of the fixed test not enough, without the way there more than enough.
  const drift = findRoot(shortfall, fixed, end + normalIsf(1 - power), 1e-13);
  return (drift / fixed) ** 2;
}
