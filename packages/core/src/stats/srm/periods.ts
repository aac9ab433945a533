import { type Outcome, refuse } from '../outcome.ts';
import { type SrmTest, srmLevel, srmTest } from './chi-square.ts';
import { sequentialSrm } from './sequential.ts';
import { varyingWeightsSrm, type WeightPeriod } from './varying-weights.ts';

/** Below this many expected units in an arm Wald's statistic has no χ² law yet. */
const EXPECTED_MIN = 5;

/**
 * Sample ratio mismatch of units that came in one or several periods of their own weights: `srmTest`
 * in one, Wald's test of the sums in several. Refuses as these do.
 *
 * @param periods arms in the same order in each; those without units say nothing
 */
export function periodsSrm(periods: readonly WeightPeriod[]): Outcome<SrmTest> {
  const used = periods.filter(({ counts }) => counts.some((count) => count > 0));
  const [only] = used;
  if (only === undefined) return refuse('NO_UNITS');
  if (used.length === 1) return srmTest(only.counts, only.weights);
  const wald = varyingWeightsSrm(used);
  if (wald.status !== 'ok') return refuse(wald.status);
  const { wald: chiSquare, df, pValue, expected } = wald;
  if (expected.some((units) => units > 0 && units < EXPECTED_MIN)) {
    const level = 'not_enough_data';
    return { status: 'ok', test: level, level, pValue: null, expected };
  }
  const level = srmLevel(pValue);
  return { status: 'ok', test: 'chi_square', level, chiSquare, df, pValue, expected };
}

/** The units of one period of weights up to each look, the looks being those of all periods. */
export interface PeriodLooks {
  readonly weights: readonly number[];
  readonly cumulativeCounts: readonly (readonly number[])[];
}

/** The sequential test of several periods together, one entry for each look. */
export interface PeriodsSequentialSrm {
  readonly pValue: readonly number[];
  /** Of a mismatch, when it is as likely as not beforehand. */
  readonly posteriorProbabilityOfSrm: readonly number[];
}

/**
 * `sequentialSrm` where weights changed. The units of a period say nothing of the others', so the
 * Bayes factors multiply, and their product is as good at any time as each of them. Refuses as
 * `sequentialSrm` does, and INVALID_INPUT where the periods have different numbers of looks.
 */
export function periodsSequentialSrm(
  periods: readonly PeriodLooks[],
): Outcome<PeriodsSequentialSrm> {
  const looks = periods[0]?.cumulativeCounts.length ?? 0;
  const factors = new Array<number>(looks).fill(0);
  for (const { cumulativeCounts, weights } of periods) {
    const test = sequentialSrm(cumulativeCounts, weights);
    if (test.status !== 'ok') return refuse(test.status);
    if (test.logBayesFactor.length !== looks) return refuse('INVALID_INPUT');
    for (const [look, factor] of test.logBayesFactor.entries()) {
      factors[look] = (factors[look] ?? 0) + factor;
    }
  }
  let smallest = 1;
  return {
    status: 'ok',
    pValue: factors.map((factor) => {
      smallest = Math.min(smallest, Math.exp(-factor));
      return smallest;
    }),
    posteriorProbabilityOfSrm: factors.map((factor) => 1 / (1 + Math.exp(-factor))),
  };
}
