import { normalIsf } from '../distributions/normal.ts';
import { isLevel } from '../outcome.ts';

/** The errors a plan allows. */
export interface PowerOptions {
  readonly alpha: number;
  /** The chance to find the effect, in its direction. */
  readonly power: number;
  /** 2 when absent. */
  readonly sided?: 1 | 2;
}

/** Whether both errors are possible. */
export const isPowerOptions = ({ alpha, power, sided = 2 }: PowerOptions): boolean =>
  isLevel(alpha) && isLevel(power) && (sided === 1 || sided === 2);

/** z_{α/sided}. */
export const zAlpha = ({ alpha, sided = 2 }: PowerOptions): number => normalIsf(alpha / sided);

/** The distance of the effect in standard errors that a plan needs. */
export const zDistance = (options: PowerOptions): number =>
  zAlpha(options) + normalIsf(1 - options.power);
