import { normalIsf } from '../distributions/normal.ts';
import { fiellerInterval, type MeanLift } from '../means/lift.ts';
import { type DifferenceOnly, type MeanDifference, tDifference } from '../means/welch.ts';
import { isCount, isLevel, type Outcome, refuse } from '../outcome.ts';
import { normalRanks, ranksRefusal } from './order-statistics.ts';

/** Events of clusters (units), and two order statistics about their quantile. */
export interface ClusteredQuantile {
  readonly p: number;
  readonly nEvents: number;
  readonly nClusters: number;
  /** Over clusters: events at or below the sample quantile, all events, their squares and product. */
  readonly sumBelow: number;
  readonly sumEvents: number;
  readonly sumBelowSquares: number;
  readonly sumEventsSquares: number;
  readonly sumProduct: number;
  /** The values at the normal ranks of `orderStatisticRanks`. */
  readonly quantileLower: number;
  readonly quantileUpper: number;
  readonly alpha: number;
}

/** The standard error of a quantile of clustered events. */
export interface QuantileError {
  readonly lowerRank: number;
  readonly upperRank: number;
  /** Variance of the share of events below the quantile, with and without regard to clusters. */
  readonly varianceOfProportionClustered: number;
  readonly varianceOfProportionIid: number;
  readonly designEffect: number;
  readonly seIid: number;
  readonly seClustered: number;
}

/**
 * Standard error of a quantile of events that come in clusters (Deng, Knoblich & Lu 2018, §4): the
 * distance of two order statistics, widened by the design effect. Refuses INVALID_INPUT;
 * INSUFFICIENT_UNITS below two clusters or with too few events for a quantile so far out; and
 * ZERO_VARIANCE where ties make both order statistics equal.
 */
export function quantileError(data: ClusteredQuantile): Outcome<QuantileError> {
  const { p, nEvents, nClusters: k, alpha, quantileLower, quantileUpper } = data;
  const refusal = ranksRefusal(nEvents, p, alpha);
  if (refusal !== null) return refuse(refusal);
  const ranks = normalRanks(nEvents, p, alpha);
  const sums = [data.sumBelow, data.sumEvents, data.sumBelowSquares, data.sumEventsSquares];
  const isValid =
    isCount(k) &&
    [...sums, data.sumProduct].every((sum) => Number.isFinite(sum) && sum >= 0) &&
    quantileLower <= quantileUpper;
  if (!isValid) return refuse('INVALID_INPUT');
  const z = normalIsf(alpha / 2);
  const isTooFew = nEvents <= z * z * Math.max(p / (1 - p), (1 - p) / p);
  if (k < 2 || isTooFew) return refuse('INSUFFICIENT_UNITS');
  if (quantileLower === quantileUpper) return refuse('ZERO_VARIANCE');
  const share = data.sumBelow / data.sumEvents;
  const co = (product: number, a: number, b: number): number => (product - (a / k) * b) / (k - 1);
  const varBelow = co(data.sumBelowSquares, data.sumBelow, data.sumBelow);
  const varEvents = co(data.sumEventsSquares, data.sumEvents, data.sumEvents);
  const covariance = co(data.sumProduct, data.sumBelow, data.sumEvents);
  const perCluster = data.sumEvents / k;
  const residual = varBelow - 2 * share * covariance + share * share * varEvents;
  const varianceOfProportionClustered = Math.max(0, residual) / (k * perCluster * perCluster);
  const varianceOfProportionIid = (p * (1 - p)) / data.sumEvents;
  const designEffect = varianceOfProportionClustered / varianceOfProportionIid;
  const seIid = (quantileUpper - quantileLower) / (2 * z);
  return {
    status: 'ok',
    lowerRank: ranks.normalLower,
    upperRank: ranks.normalUpper,
    varianceOfProportionClustered,
    varianceOfProportionIid,
    designEffect,
    seIid,
    seClustered: seIid * Math.sqrt(designEffect),
  };
}

/** A quantile and its standard error. */
export interface QuantileEstimate {
  readonly estimate: number;
  readonly se: number;
}

/**
 * Test, interval and lift of the difference of two quantiles, by the normal distribution; the lift,
 * null when the control's quantile is 0, by Fieller. Refuses INVALID_INPUT and, with the difference,
 * ZERO_VARIANCE.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function quantileDifference(
  treatment: QuantileEstimate,
  control: QuantileEstimate,
  alpha: number,
): Outcome<MeanDifference & { readonly lift: MeanLift | null }, DifferenceOnly> {
  const isValid = [treatment, control].every(
    ({ estimate, se }) => Number.isFinite(estimate) && Number.isFinite(se) && se >= 0,
  );
  if (!isValid || !isLevel(alpha)) return refuse('INVALID_INPUT');
  const diff = treatment.estimate - control.estimate;
  const se = Math.hypot(treatment.se, control.se);
  if (se === 0) return { status: 'ZERO_VARIANCE', diff };
  const pair = {
    treatment: treatment.estimate,
    control: control.estimate,
    varianceTreatment: treatment.se ** 2,
    varianceControl: control.se ** 2,
  };
  const test = tDifference(diff, se, Number.POSITIVE_INFINITY, alpha);
  const lift = control.estimate === 0 ? null : fiellerInterval(pair, normalIsf(alpha / 2));
  return { status: 'ok', ...test, lift };
}
