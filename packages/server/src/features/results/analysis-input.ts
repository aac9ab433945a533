import type { AnalysisArm, AnalysisInput, AnalysisOptions } from '@assay/core/analysis';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import type { Arms } from './arms.ts';
import type { ArmOf } from './question.ts';
import { isTotal, type UsedMetric } from './use-metrics.ts';

type Variant = ExperimentRecord['variants'][number];

/** Users of an experiment who are analysed together: all, or those of one segment. */
export interface Population {
  readonly variants: readonly Variant[];
  readonly uses: readonly UsedMetric[];
  readonly arms: Arms;
  /** Absent: all. */
  readonly segment?: string | null;
}

export const armOf = ({ segment }: Population, { id }: Variant): ArmOf =>
  segment === undefined ? { variantId: id } : { variantId: id, segment };

export const analysisArms = (population: Population): readonly AnalysisArm[] =>
  population.variants.map((variant) => ({
    key: variant.key,
    isControl: variant.isControl,
    users: population.arms.users(armOf(population, variant)),
  }));

/** What is analysed: every metric but totals, which are compared with nothing. */
export function analysisInput(population: Population, options: AnalysisOptions): AnalysisInput {
  const { uses, arms, variants } = population;
  return {
    arms: analysisArms(population),
    countedUsers: variants.reduce((sum, { id }) => sum + arms.users({ variantId: id }), 0),
    metrics: uses
      .filter(({ metric }) => !isTotal(metric))
      .map(({ metric, role, margin }) => ({
        key: metric.key,
        role,
        margin,
        direction: metric.direction,
        data: variants.map((variant) => arms.data(metric, armOf(population, variant))),
      })),
    options,
  };
}

/**
 * How an experiment is analysed, as of a moment.
 *
 * @param until of what is counted, RFC 3339 UTC: whoever asks what was known before the end asks for
 *   a look on the way
 */
export function analysisOptions(
  experiment: ExperimentRecord,
  chosen: Pick<AnalysisOptions, 'method' | 'alpha' | 'minSample'>,
  nowMs: number,
  until: string,
): AnalysisOptions {
  const { endsAt, stoppedAt, analysis } = experiment;
  const end = endsAt === null ? null : Date.parse(endsAt);
  const stopped = stoppedAt === null ? nowMs : Date.parse(stoppedAt);
  const endedAsPlanned = end !== null && end <= Math.min(stopped, Date.parse(until));
  const wasStopped = stoppedAt !== null && stopped <= Date.parse(until);
  return {
    ...chosen,
    plannedUsers: analysis.expected_users,
    isOver: wasStopped || endedAsPlanned,
    endedAsPlanned,
  };
}
