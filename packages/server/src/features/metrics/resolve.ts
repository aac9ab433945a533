import { conditionsOn, type MetricDefinition } from '@assay/contract';
import { must } from '../../errors.ts';
import type { Cap, Measure, ResolvedMetric } from '../results/metric.ts';

/** What a measure is made of: a definition's numerator, its denominator, or a step of its funnel. */
type Part = Pick<MetricDefinition, 'event_type' | 'filters' | 'value_property' | 'aggregation'>;

/** A version of a metric of the catalogue as the stores compute it. */
export function resolveMetric(definition: MetricDefinition, version: number): ResolvedMetric {
  const { key, kind, direction } = definition;
  const common = { key, version, direction };
  const adjustments = {
    cap: capOf(definition.cap),
    cupedDays: definition.cuped?.days ?? null,
  };
  const measure = (part: Part, aggregate: Measure['aggregate']): Measure => ({
    types: [must(part.event_type, 'the contract asks it of every kind but funnels')],
    filters: conditionsOn('properties', part.filters),
    aggregate,
    property: aggregate === 'sum' || aggregate === 'valued' ? (part.value_property ?? null) : null,
    fromHours: definition.window?.from_hours ?? null,
    toHours: definition.window?.to_hours ?? null,
  });
  const simple = (of: 'rate' | 'mean', aggregate: Measure['aggregate']): ResolvedMetric => {
    const own = measure(definition, aggregate);
    return { ...common, kind: of, measure: own, ...adjustments, isTotal: false };
  };
  const ratio = (numerator: Measure, denominator: Measure): ResolvedMetric => ({
    ...common,
    kind: 'ratio',
    numerator,
    denominator,
    ...adjustments,
  });
  switch (kind) {
    case 'conversion':
    case 'retention':
      return simple('rate', 'any');
    case 'count':
      return simple('mean', 'count');
    case 'sum':
      return simple('mean', 'sum');
    case 'mean':
      return ratio(measure(definition, 'sum'), measure(definition, 'valued'));
    case 'ratio': {
      const below = must(definition.denominator, 'the contract asks it of a ratio');
      return ratio(
        measure(definition, aggregateOf(definition)),
        measure(below, aggregateOf(below)),
      );
    }
    case 'quantile': {
      const p = must(definition.quantile, 'the contract asks it of a quantile');
      return { ...common, kind, measure: measure(definition, 'sum'), p };
    }
    case 'funnel': {
      const steps = must(definition.steps, 'the contract asks it of a funnel');
      return { ...common, kind, steps: steps.map((step) => measure(step, 'any')) };
    }
  }
}

/** Half of a ratio sums the property that it names, and counts events where it names none. */
const aggregateOf = ({ aggregation, value_property }: Part): 'count' | 'sum' =>
  aggregation ?? (value_property === undefined ? 'count' : 'sum');

function capOf(cap: MetricDefinition['cap']): Cap | null {
  if (cap?.percentile !== undefined) return { kind: 'percentile', percentile: cap.percentile };
  if (cap?.value !== undefined) return { kind: 'value', value: cap.value };
  return null;
}
