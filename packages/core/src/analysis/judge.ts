import type { Unjudged } from './compare.ts';
import { guardrailVerdict, testMargin, UNTESTED } from './guardrails.ts';
import type { Measured } from './measured.ts';
import type { Setting } from './setting.ts';
import type { AnalysisMetric, Comparison, GuardrailVerdict } from './types.ts';

// From numbers to verdicts: what is significant, which way, and whether a guardrail holds.

/** Whether the numbers alone, without regard to what is pending, tell the effect from none. */
function isDecisive({ pValue, chanceToWin }: Measured, adjusted: number | null, alpha: number) {
  if (chanceToWin !== null) return chanceToWin >= 1 - alpha / 2 || chanceToWin <= alpha / 2;
  const p = adjusted ?? pValue;
  return p !== null && p < alpha;
}

function isBetter({ chanceToWin, difference }: Measured, { direction }: AnalysisMetric): boolean {
  if (chanceToWin !== null) return chanceToWin > 0.5;
  return (difference ?? 0) > 0 === (direction === 'increase');
}

function guard(
  { measured, pair, pending }: Unjudged,
  { margin, direction }: AnalysisMetric,
  better: boolean | null,
  { options: { method, alpha }, guardrailBoundary: boundary, isFinal }: Setting,
): GuardrailVerdict {
  const test =
    margin === null || pair === null
      ? UNTESTED
      : testMargin(pair, { method, margin, direction, boundary, alpha });
  const numbers = [measured.pValue, measured.chanceToWin, test.pValue, test.chance];
  const isDecidable = pending === null && numbers.some((number) => number !== null);
  return guardrailVerdict({ margin, test, isDecidable, isFinal, isBetter: better });
}

/** A comparison with its verdict. @param adjusted p-value in the metric's family; null outside of one */
export function judge(
  unjudged: Unjudged,
  metric: AnalysisMetric,
  adjusted: number | null,
  setting: Setting,
): Comparison {
  const { measured, pending } = unjudged;
  const significant = pending === null && isDecisive(measured, adjusted, setting.options.alpha);
  const better = significant ? isBetter(measured, metric) : null;
  const { status, test, difference, standardError, lower, upper, lift, liftLower } = measured;
  // Written out, as in `measured`.
  return {
    status,
    test,
    difference,
    standardError,
    lower,
    upper,
    lift,
    liftLower,
    liftUpper: measured.liftUpper,
    pValue: measured.pValue,
    pValueAdjusted: adjusted,
    chanceToWin: measured.chanceToWin,
    expectedLoss: measured.expectedLoss,
    significant,
    isBetter: better,
    detectableEffect: measured.detectableEffect,
    pending,
    guardrail: metric.role === 'guardrail' ? guard(unjudged, metric, better, setting) : null,
    cuped: measured.cuped,
    flags: measured.flags,
  };
}
