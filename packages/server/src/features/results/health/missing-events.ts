import { parseInstant } from '@assay/core';
import type { ArmData } from '@assay/core/analysis';
import { must } from '../../../errors.ts';
import { armOf, type Population } from '../analysis-input.ts';
import type { Measure, ResolvedMetric } from '../metric.ts';
import type { Answer, Question } from '../question.ts';

/** What an event of the metric must be for it to be there at all. */
function measuresOf(metric: ResolvedMetric): readonly [Measure, ...Measure[]] {
  switch (metric.kind) {
    case 'rate':
    case 'mean':
    case 'quantile':
      return [metric.measure];
    case 'ratio':
      return [metric.numerator, metric.denominator];
    case 'funnel':
      return [must(metric.steps[0], 'a funnel has steps'), ...metric.steps.slice(1)];
  }
}

/** Whether what was summed can be zero although there were events. */
const isSum = ({ aggregate }: Measure): boolean => aggregate === 'sum';

/** Whether nothing has counted in an arm. A sum of values may be 0 with events: then it varies. */
function isEmpty(data: ArmData, metric: ResolvedMetric): boolean {
  switch (data.kind) {
    case 'rate':
      return data.x === 0;
    case 'mean':
      return data.total === 0 && (data.moments.products[0]?.[0] ?? 0) === 0;
    case 'ratio':
      if (data.denominator === 0) return true;
      return data.numerator === 0 && !isSum(measuresOf(metric)[0]);
    case 'quantile':
      return data.events === 0;
  }
}

/** Whether an event of anybody could have come by now: a window can begin days after the assignment. */
function canHaveEvents(metric: ResolvedMetric, { assigned }: Answer, { end }: Question): boolean {
  const from = Math.min(...measuresOf(metric).map(({ fromHours }) => fromHours ?? 0));
  const first = assigned.reduce(
    (least, { time }) => Math.min(least, time),
    Number.POSITIVE_INFINITY,
  );
  // A time is where its bucket begins; whoever is first in a day may have come at its end.
  const latest = from === 0 ? first : first + 86_400;
  return latest + from * 3_600 <= must(parseInstant(end), 'the question has a time') / 1e6;
}

/**
 * Keys of the goals for which nobody has had an event, although there are users: a name that is
 * written otherwise, or an event that nobody sends.
 */
export function missingEvents(
  population: Population,
  answer: Answer,
  question: Question,
): readonly string[] {
  const { uses, variants, arms } = population;
  const hasUsers = variants.some((variant) => arms.users(armOf(population, variant)) > 0);
  if (!hasUsers) return [];
  return uses
    .filter(({ role, decides }) => role === 'goal' && decides)
    .filter(({ metric }) => canHaveEvents(metric, answer, question))
    .filter(({ metric }) =>
      variants.every((variant) => isEmpty(arms.data(metric, armOf(population, variant)), metric)),
    )
    .map(({ metric }) => metric.key);
}
