import type { PowerRequest, PowerResult } from '@assay/contract';
import { type Plan, type PlanCaution, type PlanInput, plan } from '@assay/core/analysis';
import { invalidField, invalidFields } from '../../errors.ts';
import type { Coming } from './facts.ts';
import { type Settled, settle } from './settle.ts';

/**
 * The answer to a request, with what else is known. Pure.
 *
 * @param variants keys in the order of the allocation; empty when these are not an experiment's
 * @throws DomainError `invalid` naming the field to change
 */
export function answer(
  request: PowerRequest,
  { known, observed }: Coming,
  variants: readonly string[],
): PowerResult {
  const settled = settle(request, known, observed);
  if ('errors' in settled) throw invalidFields(settled.errors);
  const planned = plan(settled.input);
  if (planned.status === 'ok') return toPowerResult(settled, planned, variants);
  const { field, change, status } = planned;
  throw invalidField(PATHS[field] ?? field, `${change} (${status})`);
}

/** Fields of a plan whose name in the API is another. */
const PATHS: Readonly<Partial<Record<keyof PlanInput, string>>> = {
  deviation: 'standard_deviation',
  cupedCorrelation: 'cuped_correlation',
  recruitment: 'daily_users',
  minimumDays: 'minimum_days',
};

const CAUTIONS: Readonly<Record<PlanCaution, string>> = {
  small_sample:
    'Fewer than 100 users in an arm: the estimates are not nearly normal yet, so the real power is lower, and results withhold their verdict.',
  rare_outcomes:
    'Fewer than 10 users with, or without, the outcome in an arm: the real power is lower.',
  never_reached:
    'At this pace so many users do not come within a hundred years: there is no duration. Give daily_users, or plan for a larger effect.',
  as_fixed:
    'A Bayesian analysis controls no error rate; the size is that of the test with a fixed horizon.',
};

function toPowerResult(
  { input, assumptions }: Settled,
  planned: Plan,
  variants: readonly string[],
): PowerResult {
  const sum = input.allocation.reduce((total, weight) => total + weight, 0);
  return {
    kind: input.kind,
    role: input.margin === null ? 'goal' : 'guardrail',
    method: input.method,
    design: planned.design,
    alpha: input.alpha,
    alpha_per_comparison: planned.alphaPerComparison,
    power: input.power,
    power_per_metric: planned.powerPerMetric,
    sided: planned.sided,
    baseline: input.baseline,
    standard_deviation: input.deviation,
    effect_absolute: planned.effectAbsolute,
    effect_relative: planned.effectRelative,
    margin: input.margin,
    total_users: planned.totalUsers,
    arms: planned.usersPerArm.map((users, index) => ({
      variant: variants[index] ?? null,
      share: (input.allocation[index] ?? 0) / sum,
      users,
    })),
    inflation: planned.inflation,
    variance_multiplier: planned.varianceMultiplier,
    optimal_control_share: planned.optimalControlShare,
    duration:
      planned.runningTime === null
        ? null
        : {
            days: planned.runningTime.days,
            days_whole_weeks: planned.runningTime.daysWholeWeeks,
          },
    curve: planned.curve.map(({ days, users, absolute, relative }) => ({
      days,
      users,
      mde_absolute: absolute,
      mde_relative: relative,
    })),
    cautions: planned.cautions.map((code) => ({ code, message: CAUTIONS[code] })),
    assumptions: [...assumptions],
  };
}
