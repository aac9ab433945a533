import { z } from 'zod';
import { ExperimentRef, Key, PageQuery, page } from './common.ts';
import { ANALYSIS_METHODS } from './results.ts';

/** Metrics of one calibration, at most. */
export const CALIBRATED_METRICS_MAX = 20;

export const CALIBRATION_STATUSES = ['queued', 'running', 'done', 'failed'] as const;

export const CalibrationRequest = z
  .strictObject({
    experiment: ExperimentRef.optional().describe(
      'Whose users are split; the newest with 1,000 users when absent, a running one before others',
    ),
    metrics: z
      .array(Key)
      .min(1)
      .max(CALIBRATED_METRICS_MAX)
      .optional()
      .describe('Built-in names and keys of the catalogue; those of the experiment when absent'),
    method: z.enum(ANALYSIS_METHODS).optional().describe('That of the experiment when absent'),
    splits: z
      .number()
      .int()
      .min(100)
      .max(2_000)
      .default(500)
      .describe('How often the users are split anew'),
  })
  .meta({
    id: 'CalibrationRequest',
    examples: [{ experiment: 'checkout-button', metrics: ['conversion_rate'], splits: 1_000 }],
  });
export type CalibrationRequest = z.infer<typeof CalibrationRequest>;

const number = z.number().nullable();

export const MetricCalibration = z
  .object({
    metric: z.string(),
    status: z
      .enum(['ok', 'outside', 'not_measured'])
      .describe(
        'Of false_positive_rate and ci_coverage alone. outside: the rate leaves its acceptance, or the interval of the difference misses 0 more often than acceptance.high; not_measured: no split could be analysed, so that there was nothing to be wrong about',
      ),
    users: z.number().int(),
    splits: z
      .number()
      .int()
      .describe('Those that could be analysed; the rates are shares of these'),
    alpha: z.number(),
    false_positive_rate: number.describe('How often a difference was found where there is none'),
    acceptance: z
      .object({ low: z.number(), high: z.number() })
      .nullable()
      .describe(
        'Where that rate lies, but for one time in a thousand, if the method keeps its alpha',
      ),
    ci_coverage: number.describe('How often the interval of the difference held 0'),
    arm_ci_coverage: number.describe(
      'How often the interval of one arm held the value of all users: sequential ones nearly always, since they hold at all looks together; null for quantiles. Not judged by status: a low one says not to read the interval of one variant by itself',
    ),
    ks_p_value: number.describe(
      "Of Kolmogorov and Smirnov's test that p-values are uniform; null where they need not be. Not judged by status: a small one says that p-values may be off at other levels than alpha",
    ),
  })
  .meta({ id: 'MetricCalibration' });

export const Calibration = z
  .object({
    id: z.number().int(),
    status: z.enum(CALIBRATION_STATUSES),
    experiment: z.string(),
    automatic: z.boolean().describe('The worker began it by itself, once a day'),
    method: z.enum(ANALYSIS_METHODS),
    alpha: z.number(),
    splits: z.number().int(),
    metrics: z.array(z.string()),
    seed: z.string().describe('Equal users, events and seeds give equal results'),
    progress: z.number().describe('0 … 1'),
    attempts: z.number().int(),
    error: z.string().nullable().describe('Why it failed'),
    created_at: z.string(),
    started_at: z.string().nullable(),
    finished_at: z.string().nullable(),
    result: z
      .object({
        users: z.number().int(),
        assigned_users: z
          .number()
          .int()
          .describe('Of the experiment; more than users: these are a random part of them'),
        control_share: z.number().describe('The part of the users that is the control in a split'),
        duration_ms: z.number().int(),
        metrics: z.array(MetricCalibration),
      })
      .nullable()
      .describe('Null until it is done'),
  })
  .meta({ id: 'Calibration' });
export type Calibration = z.infer<typeof Calibration>;

export const CalibrationListQuery = PageQuery.extend({ experiment: ExperimentRef.optional() });
export const CalibrationList = page(Calibration).meta({ id: 'CalibrationList' });
