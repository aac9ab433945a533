import type {
  EventsOfUsers,
  MetricOfUsers,
  Population,
  ValuesOfUsers,
} from '@assay/core/recalibration';
import { must } from '../../errors.ts';
import { funnelsOf, type PlannedFunnel } from '../results/funnel-rows.ts';
import type { ResolvedMetric } from '../results/metric.ts';
import { type Plan, type PlannedMetric, planOf } from '../results/plan.ts';
import { type QuantilePlan, quantilePlanOf } from '../results/quantile-rows.ts';

// What is read of users, and the population that it makes.

/** What is asked of the store for some metrics. */
export interface UserPlan {
  readonly values: Plan;
  readonly funnels: readonly PlannedFunnel[];
  readonly quantiles: QuantilePlan;
}

export const userPlanOf = (metrics: readonly ResolvedMetric[], alpha: number): UserPlan => ({
  values: planOf(metrics),
  funnels: funnelsOf(metrics),
  quantiles: quantilePlanOf(metrics, alpha),
});

/** Events of one user in one set of values; null where the events of all are too many. */
export interface UserEvents {
  readonly set: number;
  /** From 1 on. */
  readonly number: number;
  readonly values: readonly number[] | null;
  /** Of each value among all of the set that were read, ascending, from 1 on. */
  readonly places: readonly number[] | null;
}

/** What the store has read, users in one order. */
export interface UserRows {
  readonly users: readonly { readonly id: string; readonly values: readonly number[] }[];
  /** 1 or 0 of each funnel; empty without funnels. */
  readonly funnels: readonly (readonly number[])[];
  /** One entry of each user with events in each set. */
  readonly events: readonly UserEvents[];
  /** Of the experiment, of whom `users` may be a part. */
  readonly assigned: number;
}

function valuesOf(planned: PlannedMetric, { users }: UserRows): ValuesOfUsers {
  const { metric, value, valueBefore } = planned;
  const places =
    'denominator' in planned
      ? [value, planned.denominator, valueBefore, planned.denominatorBefore]
      : [value, valueBefore];
  const read = places.filter((place) => place !== null);
  const values = new Float64Array(users.length * read.length);
  for (const [user, row] of users.entries()) {
    for (const [k, place] of read.entries()) {
      values[user * read.length + k] = row.values[place] ?? 0;
    }
  }
  const { key, direction, kind } = metric;
  return { kind, key, direction, values, hasCovariate: valueBefore !== null };
}

function funnelOf({ metric }: PlannedFunnel, place: number, { funnels }: UserRows): ValuesOfUsers {
  const { key, direction } = metric;
  const values = Float64Array.from(funnels, (done) => done[place] ?? 0);
  return { kind: 'rate', key, direction, values, hasCovariate: false };
}

/** The events of one set in ascending order, with their owners. */
function eventsOf(
  set: number,
  { users, events }: UserRows,
): Pick<EventsOfUsers, 'users' | 'values' | 'owners'> {
  const own = events.filter((row) => row.set === set);
  const cut = own.find((row) => row.values === null);
  const count = own.reduce((sum, row) => sum + (row.values?.length ?? 0), 0);
  const values = new Float64Array(count);
  const owners = new Uint32Array(count);
  for (const row of own) {
    for (const [k, value] of (row.values ?? []).entries()) {
      const place = must(row.places?.[k], 'every value has a place') - 1;
      values[place] = value;
      owners[place] = row.number - 1;
    }
  }
  return { users: cut === undefined ? users.length : cut.number - 1, values, owners };
}

/** Users with what they did, in the order of the metrics. */
export function toPopulation(
  metrics: readonly ResolvedMetric[],
  { values, funnels, quantiles }: UserPlan,
  rows: UserRows,
): Population {
  const sets = quantiles.columns.map((_, set) => eventsOf(set, rows));
  const made = new Map<string, MetricOfUsers>();
  for (const planned of values.metrics) made.set(planned.metric.key, valuesOf(planned, rows));
  for (const [place, funnel] of funnels.entries()) {
    made.set(funnel.metric.key, funnelOf(funnel, place, rows));
  }
  for (const { metric, set } of quantiles.quantiles) {
    const { kind, key, direction, p } = metric;
    const events = must(sets[set], 'a quantile names its set');
    made.set(key, { kind, key, direction, p, ...events });
  }
  return {
    ids: rows.users.map(({ id }) => id),
    metrics: metrics.map(({ key }) => must(made.get(key), 'every kind is read')),
  };
}
