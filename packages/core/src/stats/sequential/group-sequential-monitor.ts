import { isPositive, type Outcome, refuse } from '../outcome.ts';
import { boundaries, type GroupSequentialOptions, isOptions } from './group-sequential.ts';
import { spentAlpha } from './spending.ts';

/** An estimate at a look that has taken place. */
export interface GroupSequentialLook {
  /** In the units of the plan: sample size, or 1/SE². */
  readonly information: number;
  readonly estimate: number;
  readonly se: number;
}

/** The plan, and whether its last look has come. */
export interface MonitorOptions extends GroupSequentialOptions {
  readonly plannedInformation: number;
  /** The last look given is the last there will be: it spends all that is left. */
  readonly isLastLookFinal: boolean;
}

/** The looks so far, each list with one entry for each look. */
export interface GroupSequentialMonitor {
  readonly informationFraction: readonly number[];
  readonly cumulativeAlpha: readonly number[];
  /** Infinity for a look that cannot reject. */
  readonly criticalZ: readonly number[];
  readonly z: readonly number[];
  readonly reject: readonly boolean[];
  /** Repeated intervals (Jennison & Turnbull 2000), valid at all looks together. */
  readonly repeatedLower: readonly number[];
  readonly repeatedUpper: readonly number[];
}

/**
 * A group sequential test at the looks that took place (Lan & DeMets 1983): error is spent by the
 * share of planned information, boundaries follow from the actual one, and a final look spends all,
 * after more or less information than planned alike. A look that adds less than 1e-5 of the plan is
 * passed over. Refuses INVALID_INPUT and ZERO_VARIANCE.
 *
 * @param looks in order of time, with rising information
 */
export function monitorGroupSequential(
  looks: readonly GroupSequentialLook[],
  options: MonitorOptions,
): Outcome<GroupSequentialMonitor> {
  const { alpha, sided, spending, plannedInformation, isLastLookFinal } = options;
  const isValid = looks.every(
    ({ information, estimate, se }, k) =>
      isPositive(information) &&
      information >= (looks[k - 1]?.information ?? 0) &&
      Number.isFinite(estimate) &&
      Number.isFinite(se) &&
      se >= 0,
  );
  if (!isOptions(options) || !isPositive(plannedInformation) || !isValid || looks.length === 0) {
    return refuse('INVALID_INPUT');
  }
  if (looks.some(({ se }) => se === 0)) return refuse('ZERO_VARIANCE');
  const informationFraction = looks.map(({ information }) => information / plannedInformation);
  const spent = informationFraction.map((fraction, k) =>
    isLastLookFinal && k === looks.length - 1
      ? alpha / sided
      : spentAlpha(spending, alpha / sided, fraction),
  );
  const criticalZ = boundaries(informationFraction, spent, sided);
  const z = looks.map(({ estimate, se }) => estimate / se);
  const distance = sided === 2 ? z.map(Math.abs) : z;
  const half = looks.map(({ se }, k) => (criticalZ[k] ?? 0) * se);
  return {
    status: 'ok',
    informationFraction,
    cumulativeAlpha: spent.map((value) => sided * value),
    criticalZ,
    z,
    reject: distance.map((value, k) => value >= (criticalZ[k] ?? Number.POSITIVE_INFINITY)),
    repeatedLower: looks.map(({ estimate }, k) => estimate - (half[k] ?? 0)),
    repeatedUpper: looks.map(({ estimate }, k) => estimate + (half[k] ?? 0)),
  };
}
