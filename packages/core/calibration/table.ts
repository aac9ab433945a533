import type { Verdict } from './study.ts';

const percent = (rate: number, digits = 2): string => (100 * rate).toFixed(digits);

/** The band as a reader takes it. */
function bandOf({ low, high, mustExceed }: Verdict): string {
  if (mustExceed) return `> ${percent(high)} %, must fail`;
  if (low <= 0) return `≤ ${percent(high)} %`;
  if (high >= 1) return `≥ ${percent(low)} %`;
  return `${percent(low)} – ${percent(high)} %`;
}

const COLUMNS = { study: 49, figure: 30, band: 20 } as const;

export const HEADING = [
  '      ',
  '§  ',
  'cell'.padEnd(COLUMNS.study),
  'what'.padEnd(COLUMNS.figure),
  'figure'.padStart(8),
  'band'.padEnd(COLUMNS.band),
  'simulations',
].join('  ');

/** One line of the table. @param note the number of the reason for an unusual band, 0 without one */
export function lineOf(verdict: Verdict, note: number): string {
  const { section, study, figure, simulations, rate, ksPValue, isOk } = verdict;
  const ks = ksPValue === null ? '' : `KS ${ksPValue.toPrecision(2)}`;
  return [
    isOk ? 'ok    ' : 'FAILED',
    section,
    study.padEnd(COLUMNS.study),
    figure.padEnd(COLUMNS.figure),
    `${percent(rate)} %`.padStart(8),
    bandOf(verdict).padEnd(COLUMNS.band),
    (simulations === 0 ? 'exact' : String(simulations)).padStart(11),
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
