import { type Outcome, robustStandardError, type Sample } from '../stats/index.ts';
import type { Pair } from './adjust.ts';
import type { Boundary } from './boundary.ts';
import { joined, liftOf } from './lift.ts';
import {
  detectableEffect,
  finite,
  type Measured,
  measured,
  pValueOf,
  refused,
} from './measured.ts';

// Tests that hold however often one looks.

/** Variances of two means, and the standard error of their difference. */
interface RobustVariances {
  readonly varianceTreatment: number;
  readonly varianceControl: number;
  readonly se: number;
}

/**
 * The larger of Welch's and the pooled standard error (§4.2), with the variances it is made of: Welch's,
 * and what the pooled one has beyond them is the smaller arm's, whose own variance is not trusted. Where
 * arms are of the same size nothing is beyond but rounding.
 */
export function robustVariances(treatment: Sample, control: Sample): Outcome<RobustVariances> {
  const error = robustStandardError(treatment, control);
  if (error.status !== 'ok') return error;
  const { welchSe, se } = error;
  const excess = se * se - welchSe * welchSe;
  const isTreatmentSmaller = treatment.n < control.n;
  return {
    status: 'ok',
    varianceTreatment: treatment.variance / treatment.n + (isTreatmentSmaller ? excess : 0),
    varianceControl: control.variance / control.n + (isTreatmentSmaller ? 0 : excess),
    se,
  };
}

/**
 * Two samples at one look of many. Before its release a comparison has estimates, but neither interval
 * nor p-value.
 *
 * @param boundary null for a level that is none
 * @param isReleased whether both arms are large enough for verdicts to hold (§4.2)
 */
export function compareSequential(
  pair: Pair,
  boundary: Boundary | null,
  isReleased: boolean,
): Measured {
  const { treatment, control } = pair;
  const values = [treatment.mean, control.mean] as const;
  const variances = robustVariances(treatment, control);
  if (variances.status !== 'ok') return refused(variances.status, values);
  const { se, varianceTreatment, varianceControl } = variances;
  const difference = treatment.mean - control.mean;
  if (boundary === null || !Number.isFinite(difference) || !Number.isFinite(se)) {
    return refused('INVALID_INPUT', values);
  }
  const n = treatment.n + control.n;
  const critical = boundary.critical(n);
  const lift = liftOf(
    { treatment: treatment.mean, control: control.mean, varianceTreatment, varianceControl },
    critical,
  );
  const half = critical * se;
  return measured({
    status: lift.status,
    test: boundary.test,
    difference,
    standardError: se,
    lower: isReleased ? finite(difference - half) : null,
    upper: isReleased ? finite(difference + half) : null,
    lift: lift.lift,
    liftLower: isReleased ? lift.lower : null,
    liftUpper: isReleased ? lift.upper : null,
    pValue: isReleased ? pValueOf(boundary.pValue(difference / se, n)) : null,
    detectableEffect: detectableEffect(critical, se, control.mean),
    flags: joined(pair.flags, lift.flags),
    cuped: pair.cuped,
  });
}
