import type { ExperimentRecord, ExperimentVersion } from '../experiments/experiment.ts';
import type { MetricVersionRecord } from '../metrics/metric.ts';
import { resolveMetric } from '../metrics/resolve.ts';

/** A goal or guardrail that got another meaning while it decided. */
export interface Redefinition {
  /** Key of the metric. */
  readonly metric: string;
  /** RFC 3339 UTC. */
  readonly time: string;
}

type Definition = MetricVersionRecord & { readonly key: string };

/** What a definition computes, as text; the values of a filter are in no order. */
const meaningOf = ({ definition }: Definition): string =>
  JSON.stringify(resolveMetric(definition, 0), (name, part: unknown) =>
    name === 'values' && Array.isArray(part)
      ? part.map((value) => JSON.stringify(value)).sort()
      : part,
  );

/**
 * When goals and guardrails got another meaning after they had become such, also when it was taken
 * back. What becomes of metrics does not touch an archived experiment.
 *
 * @param versions of the experiment, in order; none before its start
 * @param definitions of its metrics, each one's in order
 */
export function redefinitionsOf(
  { metrics, status, updatedAt }: Pick<ExperimentRecord, 'metrics' | 'status' | 'updatedAt'>,
  versions: readonly ExperimentVersion[],
  definitions: readonly Definition[],
): readonly Redefinition[] {
  return metrics.flatMap(({ metric, role }) => {
    const since = versions.find(
      ({ plan }) => plan === null || plan.metrics.some((use) => use.metric === metric),
    )?.effectiveAt;
    if (role === 'secondary' || since === undefined) return [];
    const own = definitions.filter(({ key }) => key === metric);
    return own.flatMap((definition, index) => {
      const before = own[index - 1];
      const time = definition.createdAt;
      const isAfter = time > since && (status !== 'archived' || time <= updatedAt);
      // Another name or description is a version too, and means the same.
      return before !== undefined && isAfter && meaningOf(before) !== meaningOf(definition)
        ? [{ metric, time }]
        : [];
    });
  });
}
