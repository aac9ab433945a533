import type { Cap, Filter, Measure, RatioMetric, ResolvedMetric, SimpleMetric } from './metric.ts';

// What both stores compute for rates, means and ratios: columns of numbers per user out of their
// events, values out of the columns, and sums over the values.

const HOUR_MICROS = 3_600_000_000;
const DAY_MICROS = 24 * HOUR_MICROS;

/** A number per user: events counted, events with a value counted, or values summed. */
export interface Column {
  /** Undefined: events of all types. */
  readonly types: readonly string[] | undefined;
  readonly filters: readonly Filter[];
  readonly aggregate: 'count' | 'valued' | 'sum';
  /** Whose value is meant; null for the event's own, or where none is. */
  readonly property: string | null;
  /** Microseconds after the assignment, from … to; null: no limit. */
  readonly from: number | null;
  readonly to: number | null;
  /** Microseconds before the assignment instead of after it; null: after. */
  readonly before: number | null;
}

/** A column as the metric takes it: as 0 or 1, or with a cap, or as it is. */
export interface Value {
  readonly column: number;
  readonly isAny: boolean;
  readonly cap: Cap | null;
}

/** A metric with the places of its values in {@link Plan.values}; before the assignment: covariates. */
export type PlannedMetric =
  | {
      readonly metric: SimpleMetric;
      readonly value: number;
      readonly valueBefore: number | null;
    }
  | {
      readonly metric: RatioMetric;
      readonly value: number;
      readonly denominator: number;
      readonly valueBefore: number | null;
      readonly denominatorBefore: number | null;
    };

export interface Plan {
  readonly columns: readonly Column[];
  readonly values: readonly Value[];
  readonly metrics: readonly PlannedMetric[];
}

/** A column of events after the assignment, or of the days before it. */
export function columnOf(measure: Measure, cupedDays: number | null): Column {
  const { types, filters, property, aggregate, fromHours, toHours } = measure;
  const micros = (hours: number | null): number | null =>
    hours === null || cupedDays !== null ? null : Math.round(hours * HOUR_MICROS);
  return {
    types,
    filters,
    aggregate: aggregate === 'any' ? 'count' : aggregate,
    property: aggregate === 'sum' || aggregate === 'valued' ? property : null,
    from: micros(fromHours),
    to: micros(toHours),
    before: cupedDays === null ? null : Math.round(cupedDays * DAY_MICROS),
  };
}

/** The place of an item in a list, where equal items stand once. */
function placeIn<T>(items: T[], item: T): number {
  const text = JSON.stringify(item);
  const found = items.findIndex((other) => JSON.stringify(other) === text);
  return found === -1 ? items.push(item) - 1 : found;
}

/**
 * What has to be computed for these metrics; quantiles and funnels, which are no sums over users,
 * are not among them.
 *
 * @param withCovariates false: without the values before the assignment
 */
export function planOf(metrics: readonly ResolvedMetric[], withCovariates = true): Plan {
  const columns: Column[] = [];
  const values: Value[] = [];
  const placeOf = (measure: Measure, cap: Cap | null, cupedDays: number | null): number =>
    placeIn(values, {
      column: placeIn(columns, columnOf(measure, cupedDays)),
      isAny: measure.aggregate === 'any',
      // A number that is 0 or 1 is not cut.
      cap: measure.aggregate === 'any' ? null : cap,
    });
  const planned = metrics.flatMap((metric): PlannedMetric[] => {
    if (metric.kind === 'quantile' || metric.kind === 'funnel') return [];
    const days = withCovariates ? metric.cupedDays : null;
    const { cap } = metric;
    if (metric.kind !== 'ratio') {
      const { measure } = metric;
      const valueBefore = days === null ? null : placeOf(measure, cap, days);
      return [{ metric, value: placeOf(measure, cap, null), valueBefore }];
    }
    const { numerator, denominator } = metric;
    // A fixed cap is one of the numerator; a percentile is taken of each.
    const other = cap?.kind === 'percentile' ? cap : null;
    return [
      {
        metric,
        value: placeOf(numerator, cap, null),
        denominator: placeOf(denominator, other, null),
        valueBefore: days === null ? null : placeOf(numerator, cap, days),
        denominatorBefore: days === null ? null : placeOf(denominator, other, days),
      },
    ];
  });
  return { columns, values, metrics: planned };
}

/** The union of types, so that no other events are read; undefined: all. */
export function unionOfTypes(
  lists: readonly (readonly string[] | undefined)[],
): readonly string[] | undefined {
  if (lists.includes(undefined)) return undefined;
  return [...new Set(lists.flatMap((list) => list ?? []))].sort();
}
