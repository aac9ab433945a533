import { binomialCdf, binomialLogPmf, binomialSf } from '../distributions/binomial.ts';
import { likelihoodTails } from '../numeric/likelihood-tails.ts';
import { isCount, type Outcome, refuse } from '../outcome.ts';

/**
 * Exact two-sided binomial test of a share, adding all outcomes that are no likelier than the one
 * seen. Refuses INVALID_INPUT and, for a total of 0, NO_UNITS.
 *
 * @param count 0…total
 * @param share expected, 0 < share < 1
 */
export function binomialExact(
  count: number,
  total: number,
  share: number,
): Outcome<{ readonly pValue: number }> {
  const isValid = isCount(count) && isCount(total) && count <= total && share > 0 && share < 1;
  if (!isValid) return refuse('INVALID_INPUT');
  if (total === 0) return refuse('NO_UNITS');
  const logPmf = (k: number): number => binomialLogPmf(k, total, share);
  const mode = Math.min(total, Math.floor((total + 1) * share));
  const { lowerEnd, upperStart, isAll } = likelihoodTails(logPmf, count, mode, [0, total]);
  if (isAll) return { status: 'ok', pValue: 1 };
  const pValue = binomialCdf(lowerEnd, total, share) + binomialSf(upperStart - 1, total, share);
  return { status: 'ok', pValue: Math.min(1, pValue) };
}
