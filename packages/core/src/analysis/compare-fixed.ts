import {
  type Flag,
  type MeanDifference,
  normalIsf,
  type Outcome,
  type Proportion,
  quantileDifference,
  type Sample,
  scoreDifference,
  scoreLift,
  welchDifference,
} from '../stats/index.ts';
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
import type { TestName } from './types.ts';

// Tests for data that are looked at once, at the end.

/** Two rates by Miettinen & Nurminen's score statistic, the lift by the same. @param flags of the data */
export function compareRates(
  treatment: Proportion,
  control: Proportion,
  alpha: number,
  flags: readonly Flag[],
): Measured {
  const difference = scoreDifference(treatment, control, alpha);
  if (difference.status !== 'ok') return refused(difference.status);
  const lift = scoreLift(treatment, control, alpha);
  if (lift.status !== 'ok') return refused(lift.status);
  const variance = ({ x, n }: Proportion): number => ((x / n) * ((n - x) / n)) / n;
  const se = Math.sqrt(variance(treatment) + variance(control));
  return measured({
    // Without a success in the control there is no lift, but there is a difference.
    status: lift.lift === null ? 'ZERO_BASELINE' : 'ok',
    test: 'miettinen_nurminen',
    difference: finite(difference.diff),
    // All or none of the users succeeded in both arms: the score test has an answer, Wald's error none.
    standardError: se > 0 ? finite(se) : null,
    lower: finite(difference.lower),
    upper: finite(difference.upper),
    lift: finite(lift.lift),
    // Nor has a lift limits that is none.
    liftLower: lift.lift === null ? null : finite(lift.liftLower),
    liftUpper: lift.lift === null ? null : finite(lift.liftUpper),
    pValue: pValueOf(difference.pValue),
    detectableEffect: detectableEffect(normalIsf(alpha / 2), se, control.x / control.n),
    flags,
  });
}

const estimateOf = ({ n, mean, variance }: Sample) => ({
  estimate: mean,
  se: Math.sqrt(variance / n),
});

/** How two samples are tested: quantiles are nearly normal, means have Student's distribution. */
function testOf(pair: Pair, test: TestName, alpha: number): Outcome<MeanDifference> {
  const { treatment, control } = pair;
  return test === 'order_statistics'
    ? quantileDifference(estimateOf(treatment), estimateOf(control), alpha)
    : welchDifference(treatment, control, alpha);
}

/** Two samples by Welch's test, quantiles by the normal one, the lift by Fieller. */
export function compareSamples(pair: Pair, test: TestName, alpha: number): Measured {
  const { treatment, control, cuped } = pair;
  const outcome = testOf(pair, test, alpha);
  if (outcome.status !== 'ok') return refused(outcome.status, [treatment.mean, control.mean]);
  const { diff, se, lower, upper, pValue } = outcome;
  const critical = (upper - lower) / (2 * se);
  const lift = liftOf(
    {
      treatment: treatment.mean,
      control: control.mean,
      varianceTreatment: treatment.variance / treatment.n,
      varianceControl: control.variance / control.n,
    },
    critical,
  );
  return measured({
    status: lift.status,
    test,
    difference: finite(diff),
    standardError: finite(se),
    lower: finite(lower),
    upper: finite(upper),
    lift: lift.lift,
    liftLower: lift.lower,
    liftUpper: lift.upper,
    pValue: pValueOf(pValue),
    detectableEffect: detectableEffect(critical, se, control.mean),
    flags: joined(pair.flags, lift.flags),
    cuped,
  });
}
