import { plan } from '../src/analysis/plan.ts';
import type { Plan, PlanInput } from '../src/analysis/plan-types.ts';

/** 10 % conversion, to be raised by a tenth of it, in two equal arms. */
export const CONVERSION: PlanInput = {
  kind: 'conversion',
  baseline: 0.1,
  deviation: null,
  effect: { type: 'relative', value: 0.1 },
  margin: null,
  alpha: 0.05,
  power: 0.8,
  allocation: [1, 1],
  method: 'fixed',
  isPlanned: true,
  cupedCorrelation: 0,
  goals: 1,
  guardrails: 0,
  recruitment: null,
  minimumDays: 7,
};
/** As in the vectors power.mean.n.001 and the like: mean 10, deviation 5, effect 0.2. */
export const MEAN: PlanInput = {
  ...CONVERSION,
  kind: 'count',
  baseline: 10,
  deviation: 5,
  effect: { type: 'absolute', value: 0.2 },
};
export const GUARDRAIL: PlanInput = {
  ...MEAN,
  margin: 0.03,
  effect: { type: 'absolute', value: 0 },
};

/** The plan, which the test knows to exist. */
export function planned(input: PlanInput): Plan {
  const outcome = plan(input);
  if (outcome.status !== 'ok') throw new Error(`${outcome.status} ${outcome.field}`);
  return outcome;
}

export const METHODS: Readonly<Record<string, Partial<PlanInput>>> = {
  fixed: { method: 'fixed' },
  bayesian: { method: 'bayesian' },
  'group sequential': { method: 'sequential', isPlanned: true },
  'confidence sequence': { method: 'sequential', isPlanned: false },
};
