import type { JsonDifference } from '@assay/contract';
import { formatInstant } from '@assay/core';
import type { Answer, ArmOf } from '../results/question.ts';
import { differencesOf, type IsSame, pathTo, type Step } from './differences.ts';

/** Variants by what a reader knows them by. */
type Variants = readonly { readonly id: number; readonly key: string }[];

/**
 * Where the sufficient statistics of two answers to one question differ, by metric and variant as in
 * `statistics.metrics.conversion_rate.green.x`; a segment follows its variant. The order of rows
 * does not matter.
 */
export function statisticsDifferences(
  variants: Variants,
  stored: Answer,
  recomputed: Answer,
): readonly JsonDifference[] {
  const before = namedStatistics(variants, stored);
  const now = namedStatistics(variants, recomputed);
  return [...new Set([...before.keys(), ...now.keys()])].flatMap((path) =>
    differencesOf(before.get(path), now.get(path), path, isSameSum),
  );
}

const TOLERANCE = 1e-9;

/**
 * The same number, or one that differs by what a store gets when it sums in another order. Whole
 * numbers are counts, and exact.
 */
export const isSameSum: IsSame = (a, b) => {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'number' || typeof b !== 'number') return false;
  if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) return a === b;
  return Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
};

type Steps = readonly Step[];

function namedStatistics(variants: Variants, answer: Answer): ReadonlyMap<string, unknown> {
  const keys = new Map(variants.map(({ id, key }) => [id, key]));
  const variant = (id: number): string => keys.get(id) ?? String(id);
  const time = (seconds: number): string => formatInstant(seconds * 1e6);
  const segment = (value: string | null | undefined): Steps =>
    value === undefined ? [] : ['segments', value];
  const arm = (of: ArmOf): Steps => [variant(of.variantId), ...segment(of.segment)];
  const rows: readonly (readonly [Steps, unknown])[] = [
    ...answer.users.map((row) => [['users', ...arm(row)], row.users] as const),
    ...answer.arms.map((row) => [['metrics', row.metric, ...arm(row)], row.data] as const),
    ...answer.steps.map((row) => [['steps', row.metric, ...arm(row)], row.users] as const),
    ...answer.caps.map(({ metric, ...caps }) => [['caps', metric], caps] as const),
    ...answer.metricSeries.map((row) => {
      const at = row.series === 'days_since_assignment' ? row.at : time(row.at);
      return [['series', row.series, row.metric, variant(row.variantId), at], row.data] as const;
    }),
    ...answer.versions.map((row) => {
      const day = row.day === undefined ? [] : [time(row.day)];
      const of = [variant(row.variantId), ...day, ...segment(row.segment)];
      return [['versions', row.version, ...of], row.users] as const;
    }),
    ...answer.series.map(({ variantId, time: at, eventType, ...counts }) => {
      return [['events', variant(variantId), eventType, time(at)], counts] as const;
    }),
    ...answer.assigned.map(
      (row) => [['assigned', variant(row.variantId), time(row.time)], row.users] as const,
    ),
  ];
  return new Map(rows.map(([steps, value]) => [steps.reduce<string>(pathTo, 'statistics'), value]));
}
