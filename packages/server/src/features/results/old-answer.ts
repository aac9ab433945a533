import type { ArmData } from '@assay/core/analysis';
import type { JointMoments } from '@assay/core/stats';
import type { Answer, VersionCount } from './question.ts';

// For the assembly of results that still counts on these sums; goes with it.

export interface VariantSums {
  readonly variantId: number;
  readonly users: number;
  readonly converters: number;
  readonly events: number;
  readonly valued: number;
  readonly total: number;
  readonly eventsDeviation: number;
  readonly eventsSquares: number;
  readonly totalDeviation: number;
  readonly totalSquares: number;
  readonly valuedDeviation: number;
  readonly valuedSquares: number;
  readonly residual: number;
  readonly residualSquares: number;
  readonly residualProduct: number;
}

export interface Shift {
  readonly events: number;
  readonly total: number;
  readonly valued: number;
  readonly ratio: number;
}

export interface VariantQuantiles {
  readonly variantId: number;
  readonly median: number | null;
  readonly p95: number | null;
}

export interface OldAnswer extends Pick<Answer, 'series' | 'assigned'> {
  readonly sums: readonly VariantSums[];
  readonly shift: Shift;
  readonly quantiles: readonly VariantQuantiles[];
  readonly versions: readonly VersionCount[];
}

type Of<Kind extends ArmData['kind']> = Extract<ArmData, { kind: Kind }>;

/** An answer that has at least the rate, both means and the ratio among the built-in metrics. */
export function toOldAnswer(answer: Answer): OldAnswer {
  const of = <Kind extends ArmData['kind']>(metric: string, variantId: number, kind: Kind) =>
    answer.arms.find(
      (arm) =>
        arm.metric === metric &&
        arm.variantId === variantId &&
        !('segment' in arm) &&
        arm.data.kind === kind,
    )?.data as Of<Kind> | undefined;
  const meanOf = (moments: JointMoments | undefined, i: number): number => moments?.mean[i] ?? 0;
  const first = answer.users[0]?.variantId ?? 0;
  const shift = {
    events: meanOf(of('events_per_user', first, 'mean')?.moments, 0),
    total: meanOf(of('value_per_user', first, 'mean')?.moments, 0),
    valued: meanOf(of('avg_value', first, 'ratio')?.moments, 1),
    ratio: of('avg_value', first, 'ratio')?.about ?? 0,
  };
  const sums = answer.users.map(({ variantId, users: n }): VariantSums => {
    const events = of('events_per_user', variantId, 'mean');
    const total = of('value_per_user', variantId, 'mean');
    const ratio = of('avg_value', variantId, 'ratio');
    const deviation = (moments: JointMoments | undefined, i: number, c: number): number =>
      n * (meanOf(moments, i) - c);
    const squares = (moments: JointMoments | undefined, i: number, c: number): number =>
      (moments?.products[i]?.[i] ?? 0) + n * (meanOf(moments, i) - c) ** 2;
    return {
      variantId,
      users: n,
      converters: of('conversion_rate', variantId, 'rate')?.x ?? 0,
      events: events?.total ?? 0,
      valued: ratio?.denominator ?? 0,
      total: total?.total ?? 0,
      eventsDeviation: deviation(events?.moments, 0, shift.events),
      eventsSquares: squares(events?.moments, 0, shift.events),
      totalDeviation: deviation(total?.moments, 0, shift.total),
      totalSquares: squares(total?.moments, 0, shift.total),
      valuedDeviation: deviation(ratio?.moments, 1, shift.valued),
      valuedSquares: squares(ratio?.moments, 1, shift.valued),
      residual: n * meanOf(ratio?.moments, 0),
      residualSquares: squares(ratio?.moments, 0, 0),
      residualProduct:
        (ratio?.moments.products[0]?.[1] ?? 0) +
        n * meanOf(ratio?.moments, 0) * (meanOf(ratio?.moments, 1) - shift.valued),
    };
  });
  return {
    ...answer,
    sums,
    shift,
    quantiles: answer.users.map(({ variantId }) => ({
      variantId,
      median: of('median_value', variantId, 'quantile')?.value ?? null,
      p95: of('p95_value', variantId, 'quantile')?.value ?? null,
    })),
    versions: answer.versions.filter((row) => row.day === undefined && !('segment' in row)),
  };
}
