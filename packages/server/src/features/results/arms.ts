import type { ArmData } from '@assay/core/analysis';
import { zeroMoments } from './arm-data.ts';
import type { ResolvedMetric } from './metric.ts';
import type { Answer, ArmOf } from './question.ts';

// An arm without users is in no store's answer, and still an arm.

function noData(metric: ResolvedMetric): ArmData {
  switch (metric.kind) {
    case 'funnel':
      return { kind: 'rate', n: 0, x: 0, joint: null };
    case 'rate':
      return {
        kind: 'rate',
        n: 0,
        x: 0,
        joint: metric.cupedDays === null ? null : zeroMoments(0, 2),
      };
    case 'mean':
      return { kind: 'mean', total: 0, moments: zeroMoments(0, metric.cupedDays === null ? 1 : 2) };
    case 'ratio':
      return {
        kind: 'ratio',
        numerator: 0,
        denominator: 0,
        about: 0,
        aboutBefore: 0,
        moments: zeroMoments(0, metric.cupedDays === null ? 2 : 4),
      };
    case 'quantile':
      return {
        kind: 'quantile',
        p: metric.p,
        users: 0,
        clusters: 0,
        events: 0,
        value: null,
        lower: null,
        upper: null,
        sums: { below: 0, belowSquares: 0, eventsSquares: 0, product: 0 },
      };
  }
}

/** Names an arm, for maps. */
const nameOf = ({ variantId, segment }: ArmOf): string =>
  segment === undefined ? `${variantId}` : `${variantId}:${JSON.stringify(segment)}`;

/** What a store has answered of arms, to be looked up. */
export interface Arms {
  readonly users: (arm: ArmOf) => number;
  readonly data: (metric: ResolvedMetric, arm: ArmOf) => ArmData;
  /** Users at each step of a funnel; undefined for other metrics. */
  readonly steps: (metric: ResolvedMetric, arm: ArmOf) => readonly number[] | undefined;
}

export function armsOf({ users, arms, steps }: Pick<Answer, 'users' | 'arms' | 'steps'>): Arms {
  const usersOf = new Map(users.map((row) => [nameOf(row), row.users]));
  const dataOf = new Map(arms.map((row) => [`${row.metric} ${nameOf(row)}`, row.data]));
  const stepsOf = new Map(steps.map((row) => [`${row.metric} ${nameOf(row)}`, row.users]));
  return {
    users: (arm) => usersOf.get(nameOf(arm)) ?? 0,
    data: (metric, arm) => dataOf.get(`${metric.key} ${nameOf(arm)}`) ?? noData(metric),
    steps: (metric, arm) =>
      metric.kind === 'funnel'
        ? (stepsOf.get(`${metric.key} ${nameOf(arm)}`) ?? metric.steps.map(() => 0))
        : undefined,
  };
}
