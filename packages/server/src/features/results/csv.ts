import type { Results } from '@assay/contract';

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
