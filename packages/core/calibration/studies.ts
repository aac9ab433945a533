import { BELIEFS } from './beliefs.ts';
import { COVERAGE } from './coverage.ts';
import { NULL_EFFECTS } from './null-effects.ts';
import { NULL_MEANS } from './null-means.ts';
import { NULL_RATES } from './null-rates.ts';
import { PEEKING } from './peeking.ts';
import { POWERS } from './power.ts';
import type { ExactStudy, Study } from './study.ts';
import { WATCHED_ARMS } from './watched-arms.ts';

/** Everything that is calibrated, in the order of the specification. */
export const STUDIES: readonly (Study | ExactStudy)[] = [
  ...NULL_EFFECTS,
  ...NULL_RATES,
  ...NULL_MEANS,
  ...COVERAGE,
  ...BELIEFS,
  ...PEEKING,
  ...WATCHED_ARMS,
  ...POWERS,
];
