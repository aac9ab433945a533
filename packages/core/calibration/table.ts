import type { Verdict } from './study.ts';

const percent = (rate: number, digits = 2): string => (100 * rate).toFixed(digits);

/** The band as a reader takes it. */
function bandOf({ low, high, mustExceed }: Verdict): string {
  if (mustExceed) return `> ${percent(high)} %, must fail`;
  if (low <= 0) return `≤ ${percent(high)} %`;
  if (high >= 1) return `≥ ${percent(low)} %`;
  return `${percent(low)} – ${percent(high)} %`;
}

/** One line of the table. @param note the number of the reason for an unusual band, 0 without one */
export function lineOf(verdict: Verdict, note: number): string {
  const { section, study, figure, simulations, rate, ksPValue, isOk } = verdict;
  const ks = ksPValue === null ? '' : `KS ${ksPValue.toPrecision(2)}`;
  return [
    isOk ? 'ok    ' : 'FAILED',
    section,
    study.padEnd(46),
    figure.padEnd(26),
    `${percent(rate)} %`.padStart(9),
    bandOf(verdict).padEnd(20),
    (simulations === 0 ? 'exact' : String(simulations)).padStart(6),
    ks.padEnd(9),
    note === 0 ? '' : `[${note}]`,
  ]
    .join('  ')
    .trimEnd();
}

/** Numbers the reasons of the bands in the order in which they come. */
export function reasonsOf(verdicts: readonly Verdict[]): readonly string[] {
  return [...new Set(verdicts.flatMap(({ why }) => (why === null ? [] : [why])))];
}
