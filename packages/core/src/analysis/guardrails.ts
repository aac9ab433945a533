import { nonInferiorityRelative, normalSf, type Sample } from '../stats/index.ts';
import type { Pair } from './adjust.ts';
import type { Boundary } from './boundary.ts';
import { effectPosterior } from './compare-bayesian.ts';
import { robustVariances } from './compare-sequential.ts';
import { finite, pValueOf } from './measured.ts';
import type { AnalysisMethod, Direction, GuardrailVerdict } from './types.ts';

// Guardrails: one-sided tests that a treatment is not worse than the control by a relative margin
// (§6.4). All must hold, so they are not adjusted for one another (§6.5).

/** One-sided level of every guardrail. */
export const GUARDRAIL_ALPHA = 0.05;

/** A guardrail, and how it is looked at. */
export interface GuardrailOptions {
  readonly method: AnalysisMethod;
  /** Relative, ≥ 0. */
  readonly margin: number;
  readonly direction: Direction;
  /** One-sided, of a sequential method; null for others. */
  readonly boundary: Boundary | null;
  /** Of the credible interval, with the prior of which the chance is computed. */
  readonly alpha: number;
}

/** How surely a margin holds: a p-value, or with the Bayesian method a chance. */
export type MarginTest = Pick<GuardrailVerdict, 'pValue' | 'chance'>;

/** Nothing was tested, or may be shown. */
export const UNTESTED: MarginTest = { pValue: null, chance: null };

/**
 * The control, made worse by the margin: a treatment above it (below it, where less is better) is not
 * inferior. Of a negative control, more of it is less.
 */
function worsened(control: Sample, margin: number, sign: 1 | -1): Sample {
  const k = 1 - sign * margin * Math.sign(control.mean);
  return { n: control.n, mean: k * control.mean, variance: k * k * control.variance };
}

function sequentialMargin({ treatment, control }: Pair, options: GuardrailOptions): MarginTest {
  const sign = options.direction === 'increase' ? 1 : -1;
  const limit = worsened(control, options.margin, sign);
  const variances = robustVariances(treatment, limit);
  if (variances.status !== 'ok' || control.mean === 0) return UNTESTED;
  const z = (sign * (treatment.mean - limit.mean)) / variances.se;
  const { boundary } = options;
  if (boundary === null || !Number.isFinite(z)) return UNTESTED;
  return { pValue: pValueOf(boundary.pValue(z, treatment.n + control.n)), chance: null };
}

function bayesianMargin(pair: Pair, { margin, direction, alpha }: GuardrailOptions): MarginTest {
  const outcome = effectPosterior(pair, alpha, direction);
  if (outcome.status !== 'ok' || !outcome.isLift) return UNTESTED;
  const { posteriorMean, posteriorSd } = outcome.posterior;
  const sign = direction === 'increase' ? 1 : -1;
  return { pValue: null, chance: finite(normalSf((-margin - sign * posteriorMean) / posteriorSd)) };
}

function fixedMargin({ treatment, control }: Pair, options: GuardrailOptions): MarginTest {
  const outcome = nonInferiorityRelative(treatment, control, {
    goodDirection: options.direction,
    margin: options.margin,
    alpha: GUARDRAIL_ALPHA,
  });
  return outcome.status === 'ok' ? { pValue: pValueOf(outcome.pValue), chance: null } : UNTESTED;
}

/**
 * Whether the treatment is less than the margin worse than the control, by the method that compares
 * the two: Welch's one-sided test, a one-sided look of a sequence, or the chance that it is so.
 * Nothing is known where a test is refused, or of a control mean of 0, which has no relative margin.
 */
export function testMargin(pair: Pair, options: GuardrailOptions): MarginTest {
  const { margin } = options;
  if (!(margin >= 0 && margin < Number.POSITIVE_INFINITY)) return UNTESTED;
  switch (options.method) {
    case 'fixed':
      return fixedMargin(pair, options);
    case 'sequential':
      return sequentialMargin(pair, options);
    case 'bayesian':
      return bayesianMargin(pair, options);
  }
}

/** Whether a margin was shown to hold. */
const holds = ({ pValue, chance }: MarginTest): boolean =>
  (pValue !== null && pValue < GUARDRAIL_ALPHA) ||
  (chance !== null && chance > 1 - GUARDRAIL_ALPHA);

/** What a guardrail's verdict rests on. */
interface Evidence {
  readonly margin: number | null;
  readonly test: MarginTest;
  /** Whether the method lets anything be said yet. */
  readonly isDecidable: boolean;
  /** Whether no further data will come. */
  readonly isFinal: boolean;
  /** In the good direction; null without a significant difference. */
  readonly isBetter: boolean | null;
}

/**
 * Passed: the margin was shown to hold, however significant a difference within it may be. Failed: the
 * treatment is significantly worse, and not shown to be so by less than the margin. Without a margin
 * only harm can be shown, and a guardrail passes at the end when none was.
 */
export function guardrailVerdict(evidence: Evidence): GuardrailVerdict {
  const { margin, test } = evidence;
  return { margin: finite(margin), ...test, verdict: verdictOf(evidence) };
}

function verdictOf(evidence: Evidence): GuardrailVerdict['verdict'] {
  const { margin, test, isDecidable, isFinal, isBetter } = evidence;
  if (!isDecidable) return 'undecided';
  if (margin !== null && holds(test)) return 'passed';
  if (isBetter === false) return 'failed';
  return margin === null && (isBetter === true || isFinal) ? 'passed' : 'undecided';
}
