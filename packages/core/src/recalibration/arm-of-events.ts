import type { ArmData, QuantileData } from '../analysis/types.ts';
import { normalRanks } from '../stats/quantiles/order-statistics.ts';
import type { EventsOfUsers } from './types.ts';

/** Events of each user. */
function countEvents({ users, owners }: EventsOfUsers): Uint32Array {
  const counts = new Uint32Array(users);
  for (const owner of owners) counts[owner] = (counts[owner] ?? 0) + 1;
  return counts;
}

/** What is known of an arm before its events are looked at one by one. */
interface ArmCounts {
  users: number;
  clusters: number;
  events: number;
  eventsSquares: number;
}

function countArms(perUser: Uint32Array, armOf: Uint8Array, arms: number): readonly ArmCounts[] {
  const counts = Array.from({ length: arms }, () => ({
    users: 0,
    clusters: 0,
    events: 0,
    eventsSquares: 0,
  }));
  for (const [user, events] of perUser.entries()) {
    const arm = counts[armOf[user] ?? 0];
    if (arm === undefined) continue;
    arm.users++;
    if (events > 0) arm.clusters++;
    arm.events += events;
    arm.eventsSquares += events * events;
  }
  return counts;
}

/** Places, from 0 on, among an arm's sorted values: about the quantile, and of its two bounds. */
function placesOf(events: number, p: number, alpha: number): readonly number[] {
  if (events === 0) return [];
  const { normalLower, normalUpper } = normalRanks(events, p, alpha);
  const position = (events - 1) * p;
  return [Math.floor(position), Math.ceil(position), normalLower - 1, normalUpper - 1];
}

/** The values at these places of each arm, in one pass over all events. */
function valuesAt(
  { values, owners }: EventsOfUsers,
  armOf: Uint8Array,
  places: readonly (readonly number[])[],
): readonly number[][] {
  const found = places.map((list) => list.map(() => Number.NaN));
  const waiting = places.map((list) => [...new Set(list)].sort((a, b) => b - a));
  const next = Int32Array.from(waiting, (list) => list.pop() ?? -1);
  const passed = new Int32Array(places.length);
  for (let i = 0; i < values.length; i++) {
    const arm = armOf[owners[i] ?? 0] ?? 0;
    const place = passed[arm] ?? 0;
    passed[arm] = place + 1;
    if (place !== next[arm]) continue;
    next[arm] = waiting[arm]?.pop() ?? -1;
    for (const [k, wanted] of (places[arm] ?? []).entries()) {
      if (wanted === place) (found[arm] ?? [])[k] = values[i] ?? Number.NaN;
    }
  }
  return found;
}

/** Sums over the users of each arm of their events at or below the arm's quantile. */
function sumBelow(
  { users, values, owners }: EventsOfUsers,
  perUser: Uint32Array,
  armOf: Uint8Array,
  quantiles: readonly (number | null)[],
): readonly Omit<QuantileData['sums'], 'eventsSquares'>[] {
  const limits = Float64Array.from(quantiles, (value) => value ?? Number.NEGATIVE_INFINITY);
  const highest = Math.max(...limits);
  const below = new Uint32Array(users);
  for (let i = 0; i < values.length && (values[i] ?? 0) <= highest; i++) {
    const owner = owners[i] ?? 0;
    const limit = limits[armOf[owner] ?? 0] ?? Number.NaN;
    if ((values[i] ?? 0) <= limit) below[owner] = (below[owner] ?? 0) + 1;
  }
  const sums = quantiles.map(() => ({ below: 0, belowSquares: 0, product: 0 }));
  for (const [user, count] of below.entries()) {
    const arm = sums[armOf[user] ?? 0];
    if (arm === undefined) continue;
    arm.below += count;
    arm.belowSquares += count * count;
    arm.product += count * (perUser[user] ?? 0);
  }
  return sums;
}

/**
 * The sufficient statistics of any arms of the users.
 *
 * @param alpha of the analysis, two-sided
 * @returns takes the arm of each user, 0 … arms − 1, and gives the data of each arm
 */
export function armsOfEvents(
  metric: EventsOfUsers,
  alpha: number,
): (armOf: Uint8Array, arms: number) => readonly ArmData[] {
  const { p } = metric;
  const perUser = countEvents(metric);
  return (armOf, arms) => {
    const counts = countArms(perUser, armOf, arms);
    const found = valuesAt(
      metric,
      armOf,
      counts.map(({ events }) => placesOf(events, p, alpha)),
    );
    const quantiles = counts.map(({ events }, arm) => {
      const [below, above] = found[arm] ?? [];
      const position = (events - 1) * p;
      if (below === undefined || above === undefined) return null;
      return below + (above - below) * (position - Math.floor(position));
    });
    const sums = sumBelow(metric, perUser, armOf, quantiles);
    return counts.map(({ users, clusters, events, eventsSquares }, arm) => ({
      kind: 'quantile',
      p,
      users,
      clusters,
      events,
      value: quantiles[arm] ?? null,
      lower: found[arm]?.[2] ?? null,
      upper: found[arm]?.[3] ?? null,
      sums: { ...(sums[arm] ?? { below: 0, belowSquares: 0, product: 0 }), eventsSquares },
    }));
  };
}
