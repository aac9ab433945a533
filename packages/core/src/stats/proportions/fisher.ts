import { binomialLogPmf } from '../distributions/binomial.ts';
import { likelihoodTails } from '../numeric/likelihood-tails.ts';
import { type Outcome, refuse } from '../outcome.ts';
import { isProportion, type Proportion } from './wilson.ts';

/** Fisher's exact test of a two by two table. */
export interface FisherTest {
  /** Two-sided: all tables that are no likelier than the one seen. */
  readonly pValue: number;
  /** One-sided: treatment above control. */
  readonly pValueGreater: number;
  /** One-sided: treatment below control. */
  readonly pValueLess: number;
  /** Two-sided, counting the table seen by half; 1 when no other table is possible. */
  readonly midPValue: number;
}

/** The law of the treatment's successes, given all margins of the table. */
interface Hypergeometric {
  readonly min: number;
  readonly max: number;
  readonly logPmf: (k: number) => number;
  /** P(k + 1) / P(k). */
  readonly ratio: (k: number) => number;
}

function hypergeometric(treatment: Proportion, control: Proportion): Hypergeometric {
  const successes = treatment.x + control.x;
  const total = treatment.n + control.n;
  const share = successes / total;
  const isFixed = successes === 0 || successes === total;
  // A product of binomial probabilities at the pooled rate (Loader 2000): none of them is tiny.
  const logPmf = (k: number): number =>
    isFixed
      ? 0
      : binomialLogPmf(k, treatment.n, share) +
        binomialLogPmf(successes - k, control.n, share) -
        binomialLogPmf(successes, total, share);
  return {
    min: Math.max(0, successes - control.n),
    max: Math.min(successes, treatment.n),
    logPmf,
    ratio: (k) =>
      (((treatment.n - k) / (k + 1)) * (successes - k)) / (control.n - successes + k + 1),
  };
}

/** P(K ≥ k) for k above the mode, or P(K ≤ k) for k below it, from the largest term outwards. */
function outerTail(law: Hypergeometric, k: number, direction: -1 | 1): number {
  if (k < law.min || k > law.max) return 0;
  let term = Math.exp(law.logPmf(k));
  let sum = term;
  for (let i = k; i !== (direction === 1 ? law.max : law.min); i += direction) {
    term = direction === 1 ? term * law.ratio(i) : term / law.ratio(i - 1);
    sum += term;
    if (term < sum * 1e-18) break;
  }
  return Math.min(1, sum);
}

/**
 * Fisher's exact test, to show beside the score test where an expected cell is below five; by itself
 * it is too cautious to decide by. Refuses INVALID_INPUT and NO_UNITS.
 */
export function fisherTest(treatment: Proportion, control: Proportion): Outcome<FisherTest> {
  if (!isProportion(treatment) || !isProportion(control)) return refuse('INVALID_INPUT');
  if (treatment.n === 0 || control.n === 0) return refuse('NO_UNITS');
  const law = hypergeometric(treatment, control);
  const { x } = treatment;
  const successes = treatment.x + control.x;
  const total = treatment.n + control.n;
  const peak = Math.floor(((treatment.n + 1) / (total + 2)) * (successes + 1));
  const mode = Math.min(law.max, Math.max(law.min, peak));
  const seen = Math.exp(law.logPmf(x));
  // The tail on the far side of the mode is summed, and the other is what it leaves.
  const isAbove = x > mode;
  const far = outerTail(law, x, isAbove ? 1 : -1);
  const near = Math.min(1, 1 - far + seen);
  const { lowerEnd, upperStart, isAll } = likelihoodTails(law.logPmf, x, mode, [law.min, law.max]);
  const pValue = isAll
    ? 1
    : Math.min(1, outerTail(law, lowerEnd, -1) + outerTail(law, upperStart, 1));
  return {
    status: 'ok',
    pValue,
    pValueGreater: isAbove ? far : near,
    pValueLess: isAbove ? near : far,
    midPValue: law.min === law.max ? 1 : pValue - seen / 2,
  };
}
