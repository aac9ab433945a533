import { anytimeValidT, type TStatistic } from '../sequential/anytime-t.ts';
import { intervalOf, numberOf } from './answers.ts';

/** One look, and the precision of the mixture, in observations. */
type Look = TStatistic & { readonly g: number };

const test = (look: Look, alpha: number) => anytimeValidT(look, look.g, alpha);

/** 0…1, valid at any look: that there is no effect. Refuses INVALID_INPUT, as the interval does. */
export const pValue = numberOf(test, (look) => look.pValue);

/**
 * The effects that the look leaves, in units of their standard error; −Infinity to Infinity while the
 * data set no limit. Leaves 0 out exactly when p < alpha.
 */
export const interval = (look: Look, alpha: number) =>
  intervalOf(test, ({ radius }) => [look.t - radius, look.t + radius])(look, alpha);
