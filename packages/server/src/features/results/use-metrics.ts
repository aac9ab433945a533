import { BUILT_IN_METRICS, isBuiltInMetric, type ResultsQuery } from '@assay/contract';
import type { MetricRole } from '@assay/core/analysis';
import { invalidFields, must } from '../../errors.ts';
import type { Db } from '../../platform/postgres.ts';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import type { MetricRecord } from '../metrics/metric.ts';
import { resolveMetric } from '../metrics/resolve.ts';
import { metricsNamed, metricsNamedAt } from '../metrics/service-names.ts';
import { builtInMetric } from './built-ins.ts';
import type { ResolvedMetric } from './metric.ts';

/** A metric of one analysis, and what it is there for. */
export interface UsedMetric {
  readonly metric: ResolvedMetric;
  readonly role: MetricRole;
  readonly margin: number | null;
  /** False: it decides, but is not shown. */
  readonly isAsked: boolean;
  /** False: it is only looked at, and the verdict does not depend on it. */
  readonly decides: boolean;
}

const NO_METRICS: ReadonlyMap<string, MetricRecord> = new Map();
const DEFAULT_METRICS: readonly string[] = ['conversion_rate', 'unique_users'];

export const isTotal = (metric: ResolvedMetric): boolean =>
  metric.kind !== 'ratio' &&
  metric.kind !== 'quantile' &&
  metric.kind !== 'funnel' &&
  metric.isTotal;

const meaningOf = ({ definition, version }: MetricRecord): ResolvedMetric =>
  resolveMetric(definition, version);

/**
 * The metrics of a result: those asked for, and always the experiment's own, so that the verdict does
 * not depend on what one looks at. Where the experiment has no goal, the first metric asked for that
 * is compared is one. Those of an archived experiment mean what they did when it was archived, for it
 * does not change any more.
 *
 * @throws DomainError `invalid` for names that mean nothing
 */
export async function metricsToUse(
  db: Db,
  experiment: ExperimentRecord,
  query: Pick<ResultsQuery, 'metrics' | 'event_type'>,
): Promise<readonly UsedMetric[]> {
  const own = experiment.metrics;
  const ownNames = own.map(({ metric }) => metric);
  const asked = query.metrics ?? (own.length > 0 ? ownNames : DEFAULT_METRICS);
  const names = [...new Set([...asked, ...ownNames])];
  const { status, updatedAt } = experiment;
  const [now, kept] = await Promise.all([
    metricsNamed(db, names),
    status === 'archived' ? metricsNamedAt(db, ownNames, updatedAt) : NO_METRICS,
  ]);
  const catalogue = new Map([...now.metrics, ...kept]);
  const unknown = now.unknown.filter((name) => !kept.has(name));
  if (unknown.length > 0) {
    throw invalidFields(
      unknown.map((name) => ({
        path: 'metrics',
        message: `"${name}" is not a metric; it is neither in the catalogue nor one of ${BUILT_IN_METRICS.join(', ')}`,
      })),
    );
  }
  const used = names.map((name): UsedMetric => {
    const use = own.find(({ metric }) => metric === name);
    const record = catalogue.get(name);
    const metric = isBuiltInMetric(name)
      ? builtInMetric(name, query.event_type)
      : meaningOf(must(record, 'unknown names are refused'));
    return {
      metric,
      role: use?.role ?? 'secondary',
      margin: use?.margin ?? null,
      isAsked: asked.includes(name),
      decides: use !== undefined,
    };
  });
  const isGoal = ({ metric, role }: UsedMetric): boolean => role === 'goal' && !isTotal(metric);
  if (used.some(isGoal)) return used;
  const first = used.find(({ metric, role }) => role !== 'guardrail' && !isTotal(metric));
  return used.map((use) => (use === first ? { ...use, role: 'goal', decides: true } : use));
}
