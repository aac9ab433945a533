import {
  type Analysis,
  type AnalysisOptions,
  type DecisionInput,
  type Recommendation,
  recommend,
} from '@assay/core/analysis';
import { analysisArms, type Population } from './analysis-input.ts';
import { nobodyCounted, partCounted } from './counted.ts';
import type { Question } from './question.ts';

/** What a recommendation knows beside the numbers. */
interface Circumstances extends Pick<DecisionInput, 'srm' | 'blocks'> {
  readonly question: Pick<Question, 'end' | 'contextFilters'>;
  readonly options: AnalysisOptions;
}

/** What to do by the metrics that decide, and why: with what the request and the shares have to do with it. */
export function recommendationOf(
  population: Population,
  analysis: Analysis,
  { question, options, srm, blocks }: Circumstances,
): Recommendation {
  const deciding = population.uses.filter(({ decides }) => decides).map(({ metric }) => metric.key);
  const found = recommend({
    analysis: {
      ...analysis,
      metrics: analysis.metrics.filter(({ key }) => deciding.includes(key)),
    },
    arms: analysisArms(population),
    method: options.method,
    minSample: options.minSample,
    srm,
    blocks,
  });
  const hopeless = withoutControl(population, options);
  if (found.recommendation === 'no_data') {
    return { ...found, reasons: [nobodyCounted(question), ...hopeless] };
  }
  // Who waits waits for ever: not more users decide, but a person who gives the control a share.
  const isInVain = hopeless.length > 0 && found.recommendation === 'keep_running';
  return {
    ...found,
    recommendation: isInVain ? 'discuss' : found.recommendation,
    reasons: [...hopeless, ...found.reasons, ...partCounted(question)],
  };
}

/**
 * That the control has too few users and gets no more. Shares of 0 are no fault by themselves: a
 * control that has its users may be closed, and who sends everybody to one variant may want just that.
 */
function withoutControl(
  { variants, arms }: Population,
  { minSample }: AnalysisOptions,
): readonly string[] {
  return variants
    .filter(({ isControl, allocation }) => isControl && allocation === 0)
    .filter(({ id }) => arms.users({ variantId: id }) < Math.max(1, minSample))
    .map(
      ({ key }) => `The control "${key}" has no share and gets no users: nothing can be compared.`,
    );
}
