import { TUNING_N_DEFAULT } from '../stats/index.ts';
import { isLevel } from '../stats/outcome.ts';
import { sequenceBoundary } from '../stats/sequential/confidence-sequence.ts';
import { type PlannedLook, plannedCritical, plannedPValue } from './planned-boundary.ts';
import type { TestName } from './types.ts';

/**
 * What an estimate must reach to be told from zero, however often one looks. Interval, lift and
 * p-value of a look go together: each excludes no effect exactly when the others do.
 */
export interface Boundary {
  readonly test: TestName;
  /** In standard errors. @param n users of the estimate, > 0 */
  readonly critical: (n: number) => number;
  /** @param z the estimate in standard errors, signed; a one-sided test looks for one above zero */
  readonly pValue: (z: number, n: number) => number;
}

/**
 * The boundary of all estimates of one look: that of the plan, or without one an asymptotic confidence
 * sequence that is narrowest at 5000 users. Null for an alpha that is no level, and for a one-sided
 * sequence from 0.5 on.
 *
 * @param alpha of all sides together
 * @param plan null without one
 */
export function boundaryOf(alpha: number, sided: 1 | 2, plan: PlannedLook | null): Boundary | null {
  if (!isLevel(alpha)) return null;
  if (plan !== null) {
    // How far the experiment is, and not how many users an estimate has, decides: one value for all.
    const critical = plannedCritical(alpha, sided, plan);
    return {
      test: 'group_sequential',
      critical: () => critical,
      pValue: (z) => plannedPValue(z, sided, plan),
    };
  }
  const sequence = sequenceBoundary({ alpha, tuningN: TUNING_N_DEFAULT, sided });
  if (sequence.status !== 'ok') return null;
  const { zCritical, pValue } = sequence;
  return { test: 'confidence_sequence', critical: zCritical, pValue };
}
