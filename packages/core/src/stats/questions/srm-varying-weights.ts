import { varyingWeightsSrm } from '../srm/varying-weights.ts';
import { numberOf } from './answers.ts';

/** 0…1: that the units were split as planned in periods of different plans. Refuses INVALID_INPUT, NO_UNITS and UNEXPECTED_ARM. */
export const pValue = numberOf(varyingWeightsSrm, (test) => test.pValue);
