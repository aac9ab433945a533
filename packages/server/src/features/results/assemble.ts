import type { BuiltInMetric, Results, VariantResult } from '@assay/contract';
import { holmAdjust } from '@assay/core/stats';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import { type ArmData, metricResult } from './metrics.ts';
import type { OldAnswer, VariantSums } from './old-answer.ts';
import { timeSeries } from './time-series.ts';

const NO_USERS: Omit<VariantSums, 'variantId'> = {
  users: 0,
  converters: 0,
  events: 0,
  valued: 0,
  total: 0,
  eventsDeviation: 0,
  eventsSquares: 0,
  totalDeviation: 0,
  totalSquares: 0,
  valuedDeviation: 0,
  valuedSquares: 0,
  residual: 0,
  residualSquares: 0,
  residualProduct: 0,
};

export interface AssembleOptions {
  readonly metrics: readonly BuiltInMetric[];
  /** The metrics whose p-values are one family, with all treatments. */
  readonly goals: readonly BuiltInMetric[];
  readonly alpha: number;
  readonly minSample: number;
  readonly includeIntervals: boolean;
}

/** Every variant's numbers out of a store's answer. Pure: the same answer, the same result. */
export function assembleVariants(
  experiment: ExperimentRecord,
  answer: OldAnswer,
  options: AssembleOptions,
): readonly VariantResult[] {
  const { metrics, alpha, minSample } = options;
  const dataOf = (variantId: number): ArmData => ({
    sums: answer.sums.find((row) => row.variantId === variantId) ?? { variantId, ...NO_USERS },
    quantiles: answer.quantiles.find((row) => row.variantId === variantId),
  });
  const controlId = experiment.variants.find(({ isControl }) => isControl)?.id;
  const control = controlId === undefined ? undefined : dataOf(controlId);
  const variants = experiment.variants.map(({ id, key, name, isControl }): VariantResult => {
    const data = dataOf(id);
    const against = isControl ? undefined : control;
    return {
      id,
      key,
      name,
      is_control: isControl,
      assigned_users: data.sums.users,
      sufficient: data.sums.users >= minSample,
      metrics: Object.fromEntries(
        metrics.map((metric) => [metric, metricResult(metric, data, against, answer.shift, alpha)]),
      ),
      time_series: [...timeSeries(id, answer.series, answer.assigned, alpha)],
    };
  });
  const judged = judge(variants, options);
  return options.includeIntervals ? judged : judged.map(withoutIntervals);
}

/** Adjusts the p-values of the goals together, and says what is significant. */
function judge(
  variants: readonly VariantResult[],
  { goals, alpha }: AssembleOptions,
): readonly VariantResult[] {
  const family = variants.flatMap(({ id, metrics }) =>
    goals.flatMap((goal) => {
      const p = metrics[goal]?.vs_control?.p_value;
      return p === undefined ? [] : [{ name: `${id}:${goal}`, p }];
    }),
  );
  const adjusted = holmAdjust(family.map(({ p }) => p));
  const adjustedOf = new Map(family.map(({ name }, index) => [name, adjusted[index] ?? null]));
  const isEnough = variants.some(({ is_control, sufficient }) => is_control && sufficient);
  return variants.map((variant) => ({
    ...variant,
    metrics: Object.fromEntries(
      Object.entries(variant.metrics).map(([name, metric]) => {
        if (metric.vs_control === null) return [name, metric];
        const p_value_adjusted = adjustedOf.get(`${variant.id}:${name}`) ?? null;
        const p = p_value_adjusted ?? metric.vs_control.p_value;
        const significant = isEnough && variant.sufficient && p !== null && p < alpha;
        return [
          name,
          { ...metric, vs_control: { ...metric.vs_control, p_value_adjusted, significant } },
        ];
      }),
    ),
  }));
}

function withoutIntervals(variant: VariantResult): VariantResult {
  const none = { ci_lower: null, ci_upper: null };
  return {
    ...variant,
    metrics: Object.fromEntries(
      Object.entries(variant.metrics).map(([name, metric]) => [
        name,
        {
          ...metric,
          ...none,
          vs_control:
            metric.vs_control === null
              ? null
              : { ...metric.vs_control, ...none, lift_ci_lower: null, lift_ci_upper: null },
        },
      ]),
    ),
    time_series: variant.time_series.map((bucket) => ({ ...bucket, ...none })),
  };
}

/** A result as CSV (RFC 4180): one line per variant and metric. */
export function toCsv(results: Results): string {
  const header = [
    'experiment',
    'variant',
    'is_control',
    'assigned_users',
    'sufficient',
    'metric',
    'value',
    'sample_size',
    'numerator',
    'denominator',
    'standard_error',
    'ci_lower',
    'ci_upper',
    'difference',
    'difference_ci_lower',
    'difference_ci_upper',
    'lift',
    'lift_ci_lower',
    'lift_ci_upper',
    'p_value',
    'p_value_adjusted',
    'significant',
    'status',
  ];
  const lines = results.variants.flatMap((variant) =>
    Object.entries(variant.metrics).map(([metric, result]) => {
      const versus = result.vs_control;
      return [
        results.experiment_key,
        variant.key,
        variant.is_control,
        variant.assigned_users,
        variant.sufficient,
        metric,
        result.value,
        result.sample_size,
        result.numerator,
        result.denominator,
        result.standard_error,
        result.ci_lower,
        result.ci_upper,
        versus?.difference,
        versus?.ci_lower,
        versus?.ci_upper,
        versus?.lift,
        versus?.lift_ci_lower,
        versus?.lift_ci_upper,
        versus?.p_value,
        versus?.p_value_adjusted,
        versus?.significant,
        versus?.status,
      ];
    }),
  );
  return [header, ...lines].map((line) => `${line.map(csvField).join(',')}\r\n`).join('');
}

/**
 * A field as RFC 4180 has it. Text that a spreadsheet would take for a formula gets an apostrophe
 * in front; numbers, which may begin with a minus, stay numbers.
 */
export function csvField(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const inert = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
