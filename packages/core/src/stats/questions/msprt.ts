import { msprt } from '../sequential/msprt.ts';
import { intervalOf, numberOf } from './answers.ts';

/** One look, and the variance of the mixture, in squared units of the metric. */
interface Look {
  readonly estimate: number;
  readonly se: number;
  readonly tauSquared: number;
}

const test = ({ estimate, se, tauSquared }: Look, alpha: number) =>
  msprt(estimate, se, tauSquared, alpha);

/** 0…1, valid at any look: that there is no effect. Refuses INVALID_INPUT and ZERO_VARIANCE. */
export const pValue = numberOf(test, (look) => look.pValue);

/** The effects, in the metric's unit, that no look excludes; leaves 0 out exactly when p < alpha. */
export const interval = intervalOf(test, ({ lower, upper }) => [lower, upper]);
