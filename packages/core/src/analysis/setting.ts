import { isPositive } from '../stats/outcome.ts';
import { type Boundary, boundaryOf } from './boundary.ts';
import type { PlannedLook } from './planned-boundary.ts';
import type { AnalysisArm, AnalysisInput, AnalysisOptions } from './types.ts';

/** What holds for all metrics of one analysis. */
export interface Setting {
  readonly options: AnalysisOptions;
  readonly arms: readonly AnalysisArm[];
  /** Index of the control; −1 without one. */
  readonly control: number;
  /** Null without a plan. */
  readonly plan: PlannedLook | null;
  /** Users over the planned ones, > 0, above 1 beyond the plan; null without one. */
  readonly informationFraction: number | null;
  /** Of two-sided tests at the level of the analysis; null for the methods that have none. */
  readonly boundary: Boundary | null;
  /** No further look is needed: it is over, or the planned users are there. */
  readonly isFinal: boolean;
}

/**
 * How far the experiment is, by its users. Every look beyond the plan is taken for its end, so that the
 * level holds up to the first of them: stop there. `recommend` says so when it was not done.
 */
export function settingOf({ arms, options }: AnalysisInput): Setting {
  const { plannedUsers, isOver, endedAsPlanned = false } = options;
  const users = arms.reduce((sum, arm) => sum + arm.users, 0);
  const isPlanned = plannedUsers !== null && isPositive(plannedUsers) && isPositive(users);
  const informationFraction = isPlanned ? users / plannedUsers : null;
  const isComplete = informationFraction !== null && informationFraction >= 1;
  const plan =
    informationFraction === null
      ? null
      : {
          fraction: Math.min(1, informationFraction),
          isEnd: isComplete || (isOver && endedAsPlanned),
        };
  return {
    options,
    arms,
    control: arms.findIndex(({ isControl }) => isControl),
    plan,
    informationFraction,
    boundary: options.method === 'sequential' ? boundaryOf(options.alpha, 2, plan) : null,
    isFinal: isOver || isComplete,
  };
}
