import {
  type Analysis,
  type AnalysisOptions,
  type ArmData,
  analyse,
  type Comparison,
} from '../../src/analysis/index.ts';
import {
  ARMS,
  type Arm,
  CONTROL,
  isFree,
  isLunchKnown,
  isTested,
  type Measure,
  momentsOf,
  shiftOf,
  value,
} from './star.ts';
import { armOf, SETTINGS, type Trial } from './star-trial.ts';

// The trial as the analysis of an experiment, by each of its methods.

const { alpha, plans, guardrailMargin } = SETTINGS;

const OPTIONS: Readonly<Record<string, Pick<AnalysisOptions, 'method' | 'plannedUsers'>>> = {
  fixed: { method: 'fixed', plannedUsers: null },
  sequential: { method: 'sequential', plannedUsers: null },
  running: { method: 'sequential', plannedUsers: plans.running },
  ended: { method: 'sequential', plannedUsers: plans.ended },
  bayesian: { method: 'bayesian', plannedUsers: null },
};

/** What a store answers of each metric: with the share of free lunches as covariate, and without. */
function armData(trial: Trial): Readonly<Record<string, (arm: Arm) => ArmData>> {
  const total = (arm: Arm, measure: Measure): number =>
    armOf(trial, arm).reduce((sum, pupil) => sum + measure(pupil), 0);
  const all = (measure: Measure): number => shiftOf(trial.pupils, measure);
  const about = Math.fround(all(value) / all(isTested));
  const aboutBefore = Math.fround(all(isFree) / all(isLunchKnown));
  const residual: Measure = (pupil) => value(pupil) - about * isTested(pupil);
  const residualBefore: Measure = (pupil) => isFree(pupil) - aboutBefore * isLunchKnown(pupil);
  const moments = (arm: Arm, ...measures: readonly Measure[]) =>
    momentsOf(armOf(trial, arm), measures, measures.map(all));
  const ratio = (arm: Arm) => ({
    kind: 'ratio' as const,
    numerator: total(arm, value),
    denominator: total(arm, isTested),
    about,
  });
  const rate = (arm: Arm) => ({
    kind: 'rate' as const,
    n: armOf(trial, arm).length,
    x: total(arm, isTested),
  });
  const mean = (arm: Arm) => ({ kind: 'mean' as const, total: total(arm, value) });
  return {
    avg_value: (arm) => ({
      ...ratio(arm),
      aboutBefore: 0,
      moments: moments(arm, residual, isTested),
    }),
    avg_value_cuped: (arm) => ({
      ...ratio(arm),
      aboutBefore,
      moments: moments(arm, residual, isTested, residualBefore, isLunchKnown),
    }),
    value_per_user: (arm) => ({ ...mean(arm), moments: moments(arm, value) }),
    value_per_user_cuped: (arm) => ({ ...mean(arm), moments: moments(arm, value, isFree) }),
    conversion_rate: (arm) => ({ ...rate(arm), joint: null }),
    conversion_rate_cuped: (arm) => ({ ...rate(arm), joint: moments(arm, isTested, isFree) }),
  };
}

const GOALS = ['avg_value', 'value_per_user'];
const GUARDRAILS = ['conversion_rate', 'conversion_rate_cuped'];

/** The numbers of a comparison; what is decided by them is not for others to compute. */
function numbersOf(comparison: Comparison) {
  const { significant, isBetter, ...numbers } = comparison;
  return numbers;
}

function byName({ metrics }: Analysis) {
  return Object.fromEntries(
    metrics.map(({ key, arms, comparisons }) => [
      key,
      Object.fromEntries(
        ARMS.map((arm, index) => {
          const comparison = comparisons[index];
          return [arm, { ...arms[index], versus: comparison ? numbersOf(comparison) : null }];
        }),
      ),
    ]),
  );
}

/** Every method's numbers of every metric, arm by arm. */
export function starAnalysis(trial: Trial) {
  const data = Object.entries(armData(trial));
  const input = {
    arms: ARMS.map((key) => ({
      key,
      isControl: key === CONTROL,
      users: armOf(trial, key).length,
    })),
    metrics: data.map(([key, of]) => ({
      key,
      role: GOALS.includes(key)
        ? ('goal' as const)
        : GUARDRAILS.includes(key)
          ? ('guardrail' as const)
          : ('secondary' as const),
      margin: GUARDRAILS.includes(key) ? guardrailMargin : null,
      direction: 'increase' as const,
      data: ARMS.map(of),
    })),
  };
  return Object.fromEntries(
    Object.entries(OPTIONS).map(([name, options]) => [
      name,
      byName(analyse({ ...input, options: { ...options, alpha, minSample: 100, isOver: true } })),
    ]),
  );
}
