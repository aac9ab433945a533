import { clopperPearsonInterval } from '../proportions/clopper-pearson.ts';
import { intervalOf } from './answers.ts';

export { estimate } from './wilson.ts';

/** The exact interval of one arm's rate, within 0…1. Refuses INVALID_INPUT and NO_UNITS. */
export const interval = intervalOf(clopperPearsonInterval, ({ lower, upper }) => [lower, upper]);
