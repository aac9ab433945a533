import { type JointMoments, welchDifference } from '../stats/index.ts';
import { withoutRounding } from './arm-sample.ts';
import { pValueOf } from './measured.ts';
import type { AnalysisArm, AnalysisMetric, ArmData } from './types.ts';

/** What the users of a treatment did before their assignment, against those of the control. */
export interface PrePeriodTest {
  /** Key of the metric. */
  readonly metric: string;
  /** Key of the arm. */
  readonly arm: string;
  /** Welch's, two-sided; of a ratio the smaller of its two halves', doubled. */
  readonly pValue: number;
  /** Bonferroni's, over all tests of the experiment. */
  readonly pValueAdjusted: number;
}

/** The moments of an arm, and which of their values are covariates. */
function covariatesOf(data: ArmData): { moments: JointMoments; places: readonly number[] } | null {
  switch (data.kind) {
    case 'rate':
      return data.joint === null ? null : { moments: data.joint, places: [1] };
    case 'mean':
      return data.moments.mean.length < 2 ? null : { moments: data.moments, places: [1] };
    case 'ratio':
      return data.moments.mean.length < 4 ? null : { moments: data.moments, places: [2, 3] };
    case 'quantile':
      return null;
  }
}

function compareBefore(treatment: ArmData, control: ArmData, alpha: number): number | null {
  const [t, c] = [covariatesOf(treatment), covariatesOf(control)];
  if (t === null || c === null) return null;
  const sampleOf = ({ n, mean, products }: JointMoments, place: number) => ({
    n,
    mean: mean[place] ?? Number.NaN,
    variance: n < 2 ? 0 : (products[place]?.[place] ?? Number.NaN) / (n - 1),
  });
  const pValues = t.places.flatMap((place) => {
    const test = welchDifference(sampleOf(t.moments, place), sampleOf(c.moments, place), alpha);
    return test.status === 'ok' ? [test.pValue] : [];
  });
  return pValues.length === 0 ? null : pValueOf(pValues.length * Math.min(...pValues));
}

/**
 * Whether the arms differed before anybody was treated: Welch's test of every CUPED covariate
 * of every treatment. A random split leaves no difference but chance's, so one means a broken
 * assignment or a covariate that is not from before. What cannot be tested (no covariate, one that
 * does not vary, fewer than two users) is left out.
 *
 * @param arms in the order of the metrics' data; without a control nothing is tested
 */
export function prePeriodTests(
  arms: readonly AnalysisArm[],
  metrics: readonly AnalysisMetric[],
): readonly PrePeriodTest[] {
  const controlAt = arms.findIndex(({ isControl }) => isControl);
  const tests = metrics.flatMap(({ key, data }) => {
    const clean = withoutRounding(data);
    const control = clean[controlAt];
    return arms.flatMap((arm, index) => {
      const treatment = clean[index];
      if (arm.isControl || control === undefined || treatment === undefined) return [];
      // The level only sets the interval, which nobody looks at.
      const pValue = compareBefore(treatment, control, 0.05);
      return pValue === null ? [] : [{ metric: key, arm: arm.key, pValue }];
    });
  });
  return tests.map((test) => ({
    ...test,
    pValueAdjusted: Math.min(1, tests.length * test.pValue),
  }));
}
