import { z } from 'zod';
import { EventType, ExperimentRef, text } from './common.ts';
import { METRIC_KINDS } from './metrics.ts';
import { ANALYSIS_METHODS, EventTypes } from './results.ts';

const share = z.number().gt(0, 'must be above 0 and below 1').lt(1, 'must be above 0 and below 1');

const RatioMoments = z.strictObject({
  mean_numerator: z.number(),
  mean_denominator: z.number(),
  var_numerator: z.number().min(0),
  var_denominator: z.number().min(0),
  covariance: z.number(),
});

const fields = {
  experiment: ExperimentRef.describe(
    'Takes what is not given from this experiment: its definition, its results, its traffic',
  ),
  metric: text(100)
    .min(1)
    .describe("Of the experiment; its first goal when absent, else 'conversion_rate'"),
  event_type: z
    .union([EventType, EventTypes])
    .describe('Of a built-in metric; events of all types when absent'),
  kind: z.enum(METRIC_KINDS),
  baseline: z
    .number()
    .describe('What the control has: a rate between 0 and 1, a mean per user, a ratio, a quantile'),
  standard_deviation: z
    .number()
    .min(0)
    .describe(
      'Of one user, zeros included. Of a mean, ratio or quantile: the standard error of one arm times the root of its users. Not for rates',
    ),
  moments: RatioMoments.describe(
    'Of a mean or ratio, per user; instead of baseline and standard_deviation',
  ),
  effect: z
    .number()
    .describe(
      'To be found, above 0 where the metric goes up; of a guardrail the true effect that is expected, above 0 where it is good whatever the direction of the metric, 0 when absent',
    ),
  effect_type: z.enum(['relative', 'absolute']),
  role: z.enum(['goal', 'guardrail']),
  margin: z
    .number()
    .min(0)
    .max(1)
    .describe('Of a guardrail: how much worse is still harmless, as a share of the baseline'),
  alpha: share.describe('Two-sided for a goal, one-sided for a guardrail'),
  power: share.describe('The chance to find the effect, and that all guardrails pass with it'),
  allocation: z
    .array(z.number().positive('must be above 0; leave out an arm without users').max(1e9))
    .min(2, 'must have at least two arms')
    .max(50)
    .describe('Shares of the control and then the treatments, of any sum'),
  method: z.enum(ANALYSIS_METHODS),
  planned: z
    .boolean()
    .describe(
      'Sequential: whether total_users becomes the expected_users of the experiment, which costs one per cent; otherwise it may be watched without end, which costs twice the users',
    ),
  cuped_correlation: z
    .number()
    .gt(-1, 'must be above -1')
    .lt(1, 'must be below 1')
    .describe('Of the metric with the same before the assignment'),
  goals: z.number().int().min(1).max(1_000).describe('Goals that share alpha'),
  guardrails: z.number().int().min(0).max(1_000).describe('Guardrails that all must pass'),
  daily_users: z.number().positive().max(1e12).describe('New users a day'),
  traffic_pct: z
    .number()
    .gt(0, 'must be above 0')
    .max(100)
    .describe('How many of the daily users enter the experiment'),
  minimum_days: z.number().int().min(0).max(365),
};

type Fields = { [Name in keyof typeof fields]?: z.infer<(typeof fields)[Name]> | undefined };

const isRate = (kind: string | undefined): boolean =>
  kind === 'conversion' || kind === 'retention' || kind === 'funnel';

/** What contradicts something else, with the field that should go. */
function contradictions(given: Fields): readonly { path: (keyof Fields)[]; message: string }[] {
  const { kind, experiment, moments } = given;
  const problems: { path: (keyof Fields)[]; message: string }[] = [];
  const refuse = (isWrong: boolean, path: keyof Fields, message: string): void => {
    if (isWrong) problems.push({ path: [path], message });
  };
  const has = (name: keyof Fields): boolean => given[name] !== undefined;
  refuse(has('metric') && experiment === undefined, 'metric', 'needs an experiment');
  refuse(has('event_type') && experiment === undefined, 'event_type', 'needs an experiment');
  refuse(
    moments !== undefined && kind !== undefined && kind !== 'mean' && kind !== 'ratio',
    'moments',
    'are those of a mean or ratio',
  );
  refuse(
    moments !== undefined &&
      Math.min(moments.var_numerator, moments.var_denominator) >= 0 &&
      moments.covariance ** 2 > moments.var_numerator * moments.var_denominator * (1 + 1e-9),
    'moments',
    'have a covariance that the variances do not allow: its square is at most their product',
  );
  refuse(has('baseline') && has('moments'), 'baseline', 'follows from moments; give one of them');
  refuse(
    has('standard_deviation') && has('moments'),
    'standard_deviation',
    'follows from moments; give one of them',
  );
  refuse(
    has('standard_deviation') && isRate(kind),
    'standard_deviation',
    'of a rate follows from the baseline',
  );
  refuse(has('margin') && given.role === 'goal', 'margin', 'is that of a guardrail');
  return problems;
}

export const PowerRequest = z
  .strictObject(fields)
  .partial()
  .superRefine((given, context) => {
    for (const problem of contradictions(given)) {
      context.addIssue({ code: 'custom', ...problem });
    }
  })
  .meta({
    id: 'PowerRequest',
    examples: [
      { kind: 'conversion', baseline: 0.1, effect: 0.05, daily_users: 4_000 },
      { experiment: 'checkout-button', metric: 'conversion_rate', effect: 0.05 },
    ],
  });
export type PowerRequest = z.infer<typeof PowerRequest>;

const number = z.number().nullable();

export const PowerResult = z
  .object({
    kind: z.enum(METRIC_KINDS),
    role: z.enum(['goal', 'guardrail']),
    method: z.enum(ANALYSIS_METHODS),
    design: z.enum(['fixed_horizon', 'group_sequential', 'confidence_sequence']),
    alpha: z.number(),
    alpha_per_comparison: z.number(),
    power: z.number(),
    power_per_metric: z.number(),
    sided: z.union([z.literal(1), z.literal(2)]),
    baseline: z.number(),
    standard_deviation: number,
    effect_absolute: z
      .number()
      .describe('In units of the metric, with the sign of effect: of a guardrail above 0 is good'),
    effect_relative: number,
    margin: number,
    total_users: z.number().int(),
    arms: z.array(
      z.object({ variant: z.string().nullable(), share: z.number(), users: z.number().int() }),
    ),
    inflation: z.number().describe('Users over those of one look at the end'),
    variance_multiplier: z.number().describe('What CUPED leaves of the variance'),
    optimal_control_share: z.number(),
    duration: z
      .object({ days: z.number().int(), days_whole_weeks: z.number().int() })
      .nullable()
      .describe('Null when the daily users are not known, or too few ever come'),
    curve: z
      .array(
        z.object({
          days: number,
          users: z.number().int(),
          mde_absolute: number,
          mde_relative: number,
        }),
      )
      .describe(
        'What an experiment of that length finds, with the sign of the effect; of a guardrail the margin that it proves. By weeks, or in quarters of total_users when the daily users are not known',
      ),
    cautions: z.array(z.object({ code: z.string(), message: z.string() })),
    assumptions: z
      .array(
        z.object({
          field: z.string(),
          value: z.unknown(),
          source: z.enum(['request', 'experiment', 'results', 'traffic', 'default']),
          note: z.string().optional(),
        }),
      )
      .describe('Every number that the answer rests on, and where it came from'),
  })
  .meta({ id: 'PowerResult' });
export type PowerResult = z.infer<typeof PowerResult>;
