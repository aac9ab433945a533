import { isPositive } from '../stats/outcome.ts';
import { type Boundary, boundaryOf } from './boundary.ts';
import { GUARDRAIL_ALPHA } from './guardrails.ts';
import type { AnalysisArm, AnalysisInput, AnalysisOptions } from './types.ts';

/** What holds for all metrics of one analysis. */
export interface Setting {
  readonly options: AnalysisOptions;
  readonly arms: readonly AnalysisArm[];
  /** Index of the control; −1 without one. */
  readonly control: number;
  /** Users over the planned ones, > 0, above 1 beyond the plan; null without one. */
  readonly informationFraction: number | null;
  /**
   * Of two-sided tests at the level of the analysis; null for the methods that have none, and for a
   * level that is none.
   */
  readonly boundary: Boundary | null;
  /** The same of one-sided tests at the level of guardrails; null without a guardrail, too. */
  readonly guardrailBoundary: Boundary | null;
  /** No further look is needed: it is over, or the planned users are there. */
  readonly isFinal: boolean;
}

/**
 * How far the experiment is, by its users. The level holds for all looks up to one that finds just the
 * planned users, while the split stays as it is: where an arm's share is raised on the way its
 * information lags behind its users, and the error grows a little; health tells of it. Every look beyond the plan is taken for its end, and `recommend` says so.
 */
export function settingOf(input: AnalysisInput): Setting {
  const { arms, options, metrics } = input;
  const { plannedUsers, isOver, endedAsPlanned = false } = options;
  const users = input.countedUsers ?? arms.reduce((sum, arm) => sum + arm.users, 0);
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
  const isSequential = options.method === 'sequential';
  const hasGuardrail = metrics.some(({ role }) => role === 'guardrail');
  return {
    options,
    arms,
    control: arms.findIndex(({ isControl }) => isControl),
    informationFraction,
    boundary: isSequential ? boundaryOf(options.alpha, 2, plan) : null,
    guardrailBoundary: isSequential && hasGuardrail ? boundaryOf(GUARDRAIL_ALPHA, 1, plan) : null,
    isFinal: isOver || isComplete,
  };
}
