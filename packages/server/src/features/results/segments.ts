import type { SegmentResult } from '@assay/contract';
import { type Analysis, type AnalysisOptions, adjustFamily, analyse } from '@assay/core/analysis';
import { compareText } from '../../compare-text.ts';
import { analysisArms, analysisInput, type Population } from './analysis-input.ts';
import { metricResults } from './metric-results.ts';
import type { Answer } from './question.ts';

/** The segments that a store has found, the largest first. */
export function segmentsOf({ users }: Pick<Answer, 'users'>): readonly (string | null)[] {
  const sizes = new Map<string | null, number>();
  for (const { segment, users: count } of users) {
    if (segment !== undefined) sizes.set(segment, (sizes.get(segment) ?? 0) + count);
  }
  return [...sizes]
    .sort(([a, m], [b, n]) => n - m || compareText(a, b))
    .map(([segment]) => segment);
}

/**
 * The variants within each segment. Whoever looks at many segments finds something in one of them, so
 * the p-values of the goals are adjusted over all segments together.
 */
export function segmentResults(
  population: Population,
  segments: readonly (string | null)[],
  options: AnalysisOptions,
): readonly SegmentResult[] {
  const parts = segments.map((segment) => {
    const part = { ...population, segment };
    return { part, analysis: analyse(analysisInput(part, options)) };
  });
  const judged = adjustTogether(
    parts.map(({ analysis }) => analysis),
    options,
  );
  return parts.map(({ part }, at) => {
    const analysis = judged[at];
    return {
      segment: part.segment ?? null,
      variants: analysisArms(part).map(({ key, users }, index) => ({
        key,
        assigned_users: users,
        sufficient: users >= options.minSample,
        metrics: analysis === undefined ? {} : metricResults(part, analysis, index),
      })),
    };
  });
}

/**
 * The same analyses with the goals' p-values as one family, which is never kinder than that of one of
 * its segments. A Bayesian verdict has none to adjust.
 */
function adjustTogether(
  analyses: readonly Analysis[],
  { alpha, method }: AnalysisOptions,
): readonly Analysis[] {
  if (method === 'bayesian') return analyses;
  const family = analyses.flatMap(({ metrics }) =>
    metrics
      .filter(({ role }) => role === 'goal')
      .flatMap(({ comparisons }) => comparisons.flatMap((comparison) => comparison ?? [])),
  );
  const adjusted = adjustFamily(
    family.map(({ pValue }) => pValue),
    method === 'sequential',
  );
  const adjustedOf = new Map(family.map((comparison, at) => [comparison, adjusted[at] ?? null]));
  return analyses.map((analysis) => ({
    ...analysis,
    metrics: analysis.metrics.map((metric) => ({
      ...metric,
      comparisons: metric.comparisons.map((comparison) => {
        if (comparison === null || !adjustedOf.has(comparison)) return comparison;
        const pValueAdjusted = adjustedOf.get(comparison) ?? null;
        const significant =
          comparison.pending === null && pValueAdjusted !== null && pValueAdjusted < alpha;
        return {
          ...comparison,
          pValueAdjusted,
          significant,
          isBetter: significant ? comparison.isBetter : null,
        };
      }),
    })),
  }));
}
