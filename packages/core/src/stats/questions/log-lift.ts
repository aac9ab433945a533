import { logLift } from '../means/lift.ts';
import { intervalOf, ofArms } from './answers.ts';

export { estimate, pValue } from './fieller-lift.ts';

/**
 * The interval of the lift on the scale of logarithms, above −1; it may disagree with the p-value.
 * Refuses as Fieller's, and INVALID_INPUT unless both means are above zero.
 */
export const interval = intervalOf(ofArms(logLift), ({ lower, upper }) => [lower, upper]);
