import type { BuiltInMetric } from '@assay/contract';
import type { Measure, ResolvedMetric } from './metric.ts';

/**
 * A metric that exists without a definition, of the events of these types.
 *
 * @param eventTypes undefined: events of all types
 */
export function builtInMetric(
  name: BuiltInMetric,
  eventTypes: readonly string[] | undefined,
): ResolvedMetric {
  const measure = (aggregate: Measure['aggregate']): Measure => ({
    types: eventTypes,
    filters: [],
    aggregate,
    property: null,
    fromHours: null,
    toHours: null,
  });
  const common = { key: name, version: null, direction: 'increase' } as const;
  const simple = { ...common, cap: null, cupedDays: null };
  switch (name) {
    case 'conversion_rate':
      return { ...simple, kind: 'rate', measure: measure('any'), isTotal: false };
    case 'unique_users':
      return { ...simple, kind: 'rate', measure: measure('any'), isTotal: true };
    case 'events_per_user':
      return { ...simple, kind: 'mean', measure: measure('count'), isTotal: false };
    case 'event_count':
      return { ...simple, kind: 'mean', measure: measure('count'), isTotal: true };
    case 'value_per_user':
      return { ...simple, kind: 'mean', measure: measure('sum'), isTotal: false };
    case 'sum_value':
      return { ...simple, kind: 'mean', measure: measure('sum'), isTotal: true };
    case 'avg_value':
      return {
        ...simple,
        kind: 'ratio',
        numerator: measure('sum'),
        denominator: measure('valued'),
      };
    case 'median_value':
      return { ...common, kind: 'quantile', measure: measure('sum'), p: 0.5 };
    case 'p95_value':
      return { ...common, kind: 'quantile', measure: measure('sum'), p: 0.95 };
  }
}
