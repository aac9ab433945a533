import {
  confidenceSequence,
  type Outcome,
  robustStandardError,
  type Sample,
  TUNING_N_DEFAULT,
} from '../stats/index.ts';
import { isLevel, refuse } from '../stats/outcome.ts';
import type { Pair } from './adjust.ts';
import { joined, liftOf } from './lift.ts';
import {
  detectableEffect,
  finite,
  type Measured,
  measured,
  pValueOf,
  refused,
} from './measured.ts';
import { type PlannedLook, plannedCritical, plannedPValue } from './planned-boundary.ts';

// Tests that hold however often one looks. Interval, lift and p-value of a look go together: each
// excludes no effect exactly when the others do.

/** An estimate at a look. */
interface Estimate {
  readonly estimate: number;
  /** > 0. */
  readonly se: number;
  /** Users of both arms. */
  readonly n: number;
}

/** What is asked of an estimate at a look. */
interface LookOptions {
  readonly alpha: number;
  /** 1 tests for an estimate above zero. */
  readonly sided: 1 | 2;
  /** Null without a plan. */
  readonly plan: PlannedLook | null;
}

/** The critical value, in standard errors, and the p-value of one look. */
interface Look {
  readonly critical: number;
  readonly pValue: number;
}

/**
 * A look by the boundary of the plan, or without a plan by an asymptotic confidence sequence that is
 * narrowest at 5000 users. Refuses as `confidenceSequence` does.
 */
export function lookAt(
  { estimate, se, n }: Estimate,
  { alpha, sided, plan }: LookOptions,
): Outcome<Look> {
  if (plan !== null) {
    return isLevel(alpha)
      ? {
          status: 'ok',
          critical: plannedCritical(alpha, sided, plan),
          pValue: plannedPValue(estimate / se, sided, plan),
        }
      : refuse('INVALID_INPUT');
  }
  const sequence = confidenceSequence(
    { estimate, se, n },
    { alpha, tuningN: TUNING_N_DEFAULT, sided, alternative: 'greater' },
  );
  if (sequence.status !== 'ok') return sequence;
  return { status: 'ok', critical: sequence.zCritical, pValue: sequence.pValue };
}

/** Variances of two means, and the standard error of their difference. */
interface RobustVariances {
  readonly varianceTreatment: number;
  readonly varianceControl: number;
  readonly se: number;
}

/** The larger of Welch's and the pooled standard error (§4.2), with the variances it is made of. */
export function robustVariances(treatment: Sample, control: Sample): Outcome<RobustVariances> {
  const error = robustStandardError(treatment, control);
  if (error.status !== 'ok') return error;
  const { welchSe, se } = error;
  if (se === welchSe) {
    return {
      status: 'ok',
      varianceTreatment: treatment.variance / treatment.n,
      varianceControl: control.variance / control.n,
      se,
    };
  }
  const share = control.n / (treatment.n + control.n);
  const square = se * se;
  return {
    status: 'ok',
    varianceTreatment: square * share,
    varianceControl: square * (1 - share),
    se,
  };
}

/**
 * Two samples at one look of many. Before its release a comparison has estimates, but neither interval
 * nor p-value.
 *
 * @param plan null for a confidence sequence, which needs none
 * @param isReleased whether both arms are large enough for verdicts to hold (§4.2)
 */
export function compareSequential(
  pair: Pair,
  { alpha, plan }: { readonly alpha: number; readonly plan: PlannedLook | null },
  isReleased: boolean,
): Measured {
  const { treatment, control } = pair;
  const values = [treatment.mean, control.mean] as const;
  const variances = robustVariances(treatment, control);
  if (variances.status !== 'ok') return refused(variances.status, values);
  const { se } = variances;
  const difference = treatment.mean - control.mean;
  const look = lookAt(
    { estimate: difference, se, n: treatment.n + control.n },
    { alpha, sided: 2, plan },
  );
  if (look.status !== 'ok') return refused(look.status, values);
  const lift = liftOf(
    {
      treatment: treatment.mean,
      control: control.mean,
      varianceTreatment: variances.varianceTreatment,
      varianceControl: variances.varianceControl,
    },
    look.critical,
  );
  const half = look.critical * se;
  return measured({
    status: lift.status,
    test: plan === null ? 'confidence_sequence' : 'group_sequential',
    difference: finite(difference),
    standardError: finite(se),
    lower: isReleased ? finite(difference - half) : null,
    upper: isReleased ? finite(difference + half) : null,
    lift: lift.lift,
    liftLower: isReleased ? lift.lower : null,
    liftUpper: isReleased ? lift.upper : null,
    pValue: isReleased ? pValueOf(look.pValue) : null,
    detectableEffect: detectableEffect(look.critical, se, control.mean),
    flags: joined(pair.flags, lift.flags),
    cuped: pair.cuped,
  });
}
