import { POPULATIONS, type Population } from './populations.ts';
import { ALPHA, atMost, between, type Expectation, exactly } from './study.ts';

// Where the cells of §9.3 do not keep their level, because the method is an approximation there.
// Their bands hold what the method does, measured once, so that a change shows; not what is right.

/** Users per arm, on average. */
export const SIZES: readonly number[] = [50, 200, 1000, 5000, 20_000];

export type Split = '50/50' | '90/10';
export type Test = 'score' | 'Welch' | 'CUPED';

/** Measured rates are known to within this. */
const PRECISION = 0.005;

const CAUTIOUS =
  'fewer than 5 successes expected in an arm: the score test is cautious (§1.4, §9.3)';
const EXACT =
  'just 5 successes expected in an arm: the exact size of the score test, by enumeration';
const EQUAL =
  'equal arms below 355·skewness² users: heavy tails make t tests cautious (§2.1); as measured';
const UNEQUAL =
  'a small arm below 355·skewness² users underestimates its variance (§2.1, §4.2); as measured, not as it should be';
const DENOMINATOR =
  'the mean denominator of an arm is only 3.6 to 8 standard errors above 0 (§2.3 asks for more); as measured';

/** The rates at each of the sizes; null where the level is kept. */
type Rates = readonly (number | null)[];

const MEASURED: ReadonlyMap<Population, Partial<Record<`${Split} ${Test}`, Rates>>> = new Map([
  [POPULATIONS.twentieth, { '50/50 CUPED': [0.042], '90/10 CUPED': [0.056, 0.134] }],
  [
    POPULATIONS.rare,
    {
      '50/50 CUPED': [0, 0.008],
      '90/10 CUPED': [0, 0.008, 0.147, 0.072],
    },
  ],
  [
    POPULATIONS.lognormal,
    {
      '50/50 Welch': [0.03, 0.042, 0.045],
      '50/50 CUPED': [0.036, 0.042],
      '90/10 Welch': [0.163, 0.133, 0.095, 0.067],
      '90/10 CUPED': [0.069, 0.072, 0.066, 0.061],
    },
  ],
  [
    POPULATIONS.zeros,
    {
      '50/50 Welch': [0.012, 0.038, 0.044],
      '50/50 CUPED': [0.018, 0.041, 0.045],
      '90/10 Welch': [0.139, 0.232, 0.127, 0.074, 0.059],
      '90/10 CUPED': [0.035, 0.144, 0.099, 0.065, 0.057],
    },
  ],
  [
    POPULATIONS.ratio,
    {
      '50/50 Welch': [0.061],
      '50/50 CUPED': [0.066],
      '90/10 Welch': [0.103, 0.064],
      '90/10 CUPED': [0.105, 0.065],
    },
  ],
]);

/** Fewer expected successes in the smaller arm make the score test cautious. */
const SUCCESSES_MIN = 5;
/** Exact sizes of the score test of the rare rate, with just so many. */
const SCORE_SIZES: Readonly<Record<Split, number>> = { '50/50': 0.043, '90/10': 0.0454 };

function scoreTest(population: Population, split: Split, n: number): Expectation {
  const successes = population.mean * n * (split === '50/50' ? 1 : 0.2);
  if (successes < SUCCESSES_MIN) return atMost(ALPHA, CAUTIOUS);
  return population === POPULATIONS.rare && successes === SUCCESSES_MIN
    ? between(SCORE_SIZES[split], ALPHA, EXACT)
    : exactly(ALPHA);
}

/** What a cell of §9.3 must show. */
export function nullExpectation(
  population: Population,
  n: number,
  split: Split,
  test: Test,
): Expectation {
  if (test === 'score') return scoreTest(population, split, n);
  const rates = MEASURED.get(population)?.[`${split} ${test}`];
  const rate = rates?.[SIZES.indexOf(n)] ?? null;
  if (rate === null) return exactly(ALPHA);
  const why = population.kind === 'ratio' ? DENOMINATOR : split === '50/50' ? EQUAL : UNEQUAL;
  return between(Math.max(0, rate - PRECISION), rate + PRECISION, why);
}
