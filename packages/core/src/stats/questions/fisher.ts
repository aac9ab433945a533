import { fisherTest } from '../proportions/fisher.ts';
import { ofArms, tailsOf } from './answers.ts';

/** Exact, 0…1: that the rates are equal. Refuses INVALID_INPUT and NO_UNITS. */
export const pValue = tailsOf(ofArms(fisherTest));
