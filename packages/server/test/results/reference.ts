import { parseInstant } from '@assay/core';
import type { ArmData } from '@assay/core/analysis';
import { orderStatisticRanks } from '@assay/core/stats';
import type {
  Cap,
  Filter,
  FunnelMetric,
  Measure,
  QuantileMetric,
  ResolvedMetric,
} from '../../src/features/results/metric.ts';
import type { MetricSeries, Question } from '../../src/features/results/question.ts';
import type { AssignmentRow, EventRow } from './worlds.ts';

// A third opinion beside both stores: what they compute by SQL, computed from the rows one user
// after the other, in the plainest way.

const HOUR = 3_600_000_000;
const DAY = 24 * HOUR;

export interface ReferenceUser {
  readonly variantId: number;
  readonly segment: string | null;
  readonly assignedAt: number;
  readonly source: 'hash' | 'reported' | 'forced';
  /** All of theirs that may count, whenever. */
  readonly events: readonly EventRow[];
}

/** From … to, the end excluded, in microseconds. */
type Span = readonly [number, number];

/** A metric's data, and how large the numbers were that it is made of. */
export interface Expected {
  readonly data: ArmData;
  /** Root mean square of each component's terms. */
  readonly sizes: readonly number[];
}

const micros = (time: string): number => parseInstant(time) ?? Number.NaN;
const matches = (document: Record<string, unknown> | undefined, filters: readonly Filter[]) =>
  filters.every(({ name, values }) => values.some((value) => value === (document?.[name] ?? null)));

function segmentOf(value: unknown): string | null {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'number') return null;
  const isPlain = value === 0 || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e15);
  return isPlain ? String(value) : null;
}

/** The users of the question with their events. */
export function referenceUsers(
  question: Question,
  assignments: readonly AssignmentRow[],
  events: readonly EventRow[],
): readonly ReferenceUser[] {
  const { experimentId, contextFilters, propertyFilters, segmentBy } = question;
  return assignments
    .filter(({ experiment, assignedAt }) => {
      return experiment.id === experimentId && assignedAt <= micros(question.end);
    })
    .filter(({ context }) => matches(context, contextFilters))
    .map(({ experiment, variant, userId, assignedAt, source, context }) => ({
      variantId: experiment.variants[variant] ?? 0,
      segment: segmentBy === null ? null : segmentOf(context?.[segmentBy]),
      assignedAt,
      source: source ?? 'hash',
      events: events
        .filter((event) => event.userId === userId && event.ts <= micros(question.end))
        .filter(({ experimentId: scope }) => (scope ?? experimentId) === experimentId)
        .filter(({ properties }) => matches(properties, propertyFilters)),
    }));
}

const spanAfter = (user: ReferenceUser, measure: Measure, { start }: Question): Span => [
  Math.max(micros(start), user.assignedAt + (measure.fromHours ?? 0) * HOUR),
  user.assignedAt + (measure.toHours ?? Number.POSITIVE_INFINITY) * HOUR,
];

const spanBefore = (user: ReferenceUser, days: number, { retentionFloor }: Question): Span => [
  Math.max(micros(retentionFloor), user.assignedAt - days * DAY),
  user.assignedAt,
];

const eventsIn = (user: ReferenceUser, measure: Measure, [from, to]: Span): readonly EventRow[] =>
  user.events
    .filter(({ ts }) => ts >= from && ts < to)
    .filter(({ type }) => measure.types?.includes(type) ?? true)
    .filter(({ properties }) => matches(properties, measure.filters));

function valueOfEvent({ property }: Measure, event: EventRow): number | null {
  const value = property === null ? event.value : event.properties?.[property];
  return typeof value === 'number' && Math.abs(value) <= 1e30 ? value : null;
}

function totalIn(user: ReferenceUser, measure: Measure, span: Span): number {
  const events = eventsIn(user, measure, span);
  const values = events.flatMap((event) => valueOfEvent(measure, event) ?? []);
  switch (measure.aggregate) {
    case 'any':
      return events.length > 0 ? 1 : 0;
    case 'count':
      return events.length;
    case 'valued':
      return values.length;
    case 'sum':
      return values.reduce((sum, value) => sum + value, 0);
  }
}

/** Linear interpolation between order statistics (type 7). */
function quantileOf(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * p;
  const [below = 0, above = 0] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]];
  return below + (above - below) * (position - Math.floor(position));
}

/** What totals of this measure are cut to. */
function capOf(
  cap: Cap | null,
  measure: Measure,
  users: readonly ReferenceUser[],
  spanOf: (user: ReferenceUser) => Span,
): number {
  if (cap === null || measure.aggregate === 'any' || users.length === 0) {
    return Number.POSITIVE_INFINITY;
  }
  if (cap.kind === 'value') return cap.value;
  const totals = users.map((user) => totalIn(user, measure, spanOf(user)));
  return quantileOf(totals, cap.percentile / 100);
}

/** Something of a user, cut where the metric says so. */
type Taken = (user: ReferenceUser, within?: Span) => number;

function taken(
  question: Question,
  everybody: readonly ReferenceUser[],
  measure: Measure,
  cap: Cap | null,
  days: number | null,
): Taken {
  const spanOf = (user: ReferenceUser): Span =>
    days === null ? spanAfter(user, measure, question) : spanBefore(user, days, question);
  const limit = capOf(cap, measure, everybody, spanOf);
  return (user, within = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) => {
    const [from, to] = spanOf(user);
    const span = [Math.max(from, within[0]), Math.min(to, within[1])] as const;
    return Math.min(totalIn(user, measure, span), limit);
  };
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Means, and products of deviations from them. */
function momentsOf(n: number, vectors: readonly (readonly number[])[]) {
  const mean = vectors.map((values) => (n === 0 ? 0 : sumOf(values) / n));
  const products = vectors.map((a, i) =>
    vectors.map((b, j) =>
      sumOf(a.map((x, k) => (x - (mean[i] ?? 0)) * ((b[k] ?? 0) - (mean[j] ?? 0)))),
    ),
  );
  return { n, mean, products };
}

const rootMeanSquare = (values: readonly number[]): number =>
  Math.sqrt(sumOf(values.map((value) => value * value)) / Math.max(1, values.length));

function quantileData(
  { measure, p }: QuantileMetric,
  question: Question,
  users: readonly ReferenceUser[],
): ArmData {
  const clusters = users
    .map((user) =>
      eventsIn(user, measure, spanAfter(user, measure, question)).flatMap(
        (event) => valueOfEvent(measure, event) ?? [],
      ),
    )
    .filter((values) => values.length > 0);
  const sorted = clusters.flat().sort((a, b) => a - b);
  const value = sorted.length === 0 ? null : quantileOf(sorted, p);
  const ranks = orderStatisticRanks(sorted.length, p, question.alpha);
  const at = (rank: number): number | null => sorted[rank - 1] ?? null;
  const below = clusters.map((values) => values.filter((x) => x <= (value ?? 0)).length);
  const sizes = clusters.map((values) => values.length);
  return {
    kind: 'quantile',
    p,
    users: users.length,
    clusters: clusters.length,
    events: sorted.length,
    value,
    lower: ranks.status === 'ok' ? at(ranks.normalLower) : null,
    upper: ranks.status === 'ok' ? at(ranks.normalUpper) : null,
    sums: {
      below: sumOf(below),
      belowSquares: sumOf(below.map((x) => x * x)),
      eventsSquares: sumOf(sizes.map((x) => x * x)),
      product: sumOf(below.map((x, i) => x * (sizes[i] ?? 0))),
    },
  };
}

/** Users who reached each step: its first event not before that of the step before. */
export function referenceSteps(
  { steps }: FunnelMetric,
  question: Question,
  users: readonly ReferenceUser[],
): readonly number[] {
  const reached = steps.map(() => 0);
  for (const user of users) {
    let time = Number.NEGATIVE_INFINITY;
    for (const [index, step] of steps.entries()) {
      const [from, to] = spanAfter(user, step, question);
      const events = eventsIn(user, step, [Math.max(from, time), to]);
      time = Math.min(...events.map(({ ts }) => ts));
      if (time === Number.POSITIVE_INFINITY) break;
      reached[index] = (reached[index] ?? 0) + 1;
    }
  }
  return reached;
}

/**
 * A metric over some of the users, or within some of their time.
 *
 * @param everybody over whom percentile caps are taken
 * @param like the data to compare with: residuals are about the ratio it names
 * @param within what part of a user's time counts; without covariates then
 */
export function referenceData(
  metric: ResolvedMetric,
  question: Question,
  everybody: readonly ReferenceUser[],
  users: readonly ReferenceUser[],
  like: ArmData,
  within?: (user: ReferenceUser) => Span,
): Expected {
  const n = users.length;
  if (metric.kind === 'quantile') return { data: quantileData(metric, question, users), sizes: [] };
  if (metric.kind === 'funnel') {
    const x = referenceSteps(metric, question, users).at(-1) ?? 0;
    return { data: { kind: 'rate', n, x, joint: null }, sizes: [] };
  }
  const days = within === undefined ? metric.cupedDays : null;
  const column = (measure: Measure, cap: Cap | null, before: number | null): number[] => {
    const of = taken(question, everybody, measure, cap, before);
    return users.map((user) => of(user, within?.(user)));
  };
  if (metric.kind === 'ratio') {
    const { numerator, denominator, cap } = metric;
    const about = like.kind === 'ratio' ? like.about : 0;
    const aboutBefore = like.kind === 'ratio' ? like.aboutBefore : 0;
    const other = cap?.kind === 'percentile' ? cap : null;
    const [y, d] = [column(numerator, cap, null), column(denominator, other, null)];
    const parts = [y.map((value, i) => value - about * (d[i] ?? 0)), d];
    const sizes = [rootMeanSquare(y) + Math.abs(about) * rootMeanSquare(d), rootMeanSquare(d)];
    if (days !== null) {
      const [x, m] = [column(numerator, cap, days), column(denominator, other, days)];
      parts.push(
        x.map((value, i) => value - aboutBefore * (m[i] ?? 0)),
        m,
      );
      const size = rootMeanSquare(m);
      sizes.push(rootMeanSquare(x) + Math.abs(aboutBefore) * size, size);
    }
    const moments = momentsOf(n, parts);
    const sums = { numerator: sumOf(y), denominator: sumOf(d) };
    return { data: { kind: 'ratio', ...sums, about, aboutBefore, moments }, sizes };
  }
  const y = column(metric.measure, metric.cap, null);
  const parts = days === null ? [y] : [y, column(metric.measure, metric.cap, days)];
  const sizes = parts.map(rootMeanSquare);
  const moments = momentsOf(n, parts);
  const data: ArmData =
    metric.kind === 'rate'
      ? { kind: 'rate', n, x: sumOf(y), joint: days === null ? null : moments }
      : { kind: 'mean', total: sumOf(y), moments };
  return { data, sizes };
}

/** Who counts at a point of a series, and what of their time does. */
export function referencePoint(
  series: MetricSeries,
  question: Question,
  users: readonly ReferenceUser[],
  at: number,
): { readonly users: readonly ReferenceUser[]; readonly within: (user: ReferenceUser) => Span } {
  if (series === 'days_since_assignment') {
    const within = ({ assignedAt }: ReferenceUser): Span => [
      assignedAt + at * DAY,
      assignedAt + (at + 1) * DAY,
    ];
    const counted = users.filter((user) => {
      const [from, to] = within(user);
      return from >= micros(question.start) && to <= micros(question.seriesEnd);
    });
    return { users: counted, within };
  }
  const [from, to] = [at * 1e6, at * 1e6 + DAY];
  return {
    users: users.filter(({ assignedAt }) => assignedAt < to),
    within: () => [series === 'daily' ? from : Number.NEGATIVE_INFINITY, to],
  };
}
