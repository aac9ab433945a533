import { conditionsOn, type ResultsQuery } from '@assay/contract';
import { formatInstant, parseInstant } from '@assay/core';
import { type DomainError, invalidField, must } from '../../errors.ts';
import { ACCEPTED_AHEAD } from '../../retention.ts';
import type { ResolvedMetric } from './metric.ts';
import { ARMS_MAX, BUCKET_OF, BUCKET_SECONDS, COUNTS_MAX, type Question } from './question.ts';

const REALTIME_SECONDS = 3_600;
/** Every hour of 13 months, or every day of 27 years. */
const BUCKETS_MAX = 10_000;

/** What the question needs to know beside the query. Times in microseconds since the epoch. */
export interface Frame {
  readonly experimentId: number;
  readonly now: number;
  readonly startedAt: string | null;
  readonly stoppedAt: string | null;
  /** Null without an assignment; not looked at where the query has a `start_date`. */
  readonly firstAssignedAt: string | null;
  /** Older events may be there or not, depending on when maintenance ran last. */
  readonly retentionFloor: number;
}

/**
 * A query with its defaults as a question to a store.
 *
 * @param alpha two-sided
 * @throws DomainError `invalid` when the time series would have too many buckets
 */
export function toQuestion(
  query: ResultsQuery,
  metrics: readonly ResolvedMetric[],
  alpha: number,
  frame: Frame,
): Question {
  const micros = (text: string): number => must(parseInstant(text), 'times are validated');
  const end = micros(query.end_date ?? frame.stoppedAt ?? formatInstant(frame.now));
  const began = [frame.startedAt, frame.firstAssignedAt].flatMap((time) =>
    time === null ? [] : [micros(time)],
  );
  const wanted =
    query.start_date === undefined ? Math.min(end, ...began) : micros(query.start_date);
  if (wanted > end) {
    const ends = query.end_date === undefined ? 'now, or when it was stopped' : 'end_date';
    throw invalidField('start_date', `must not be later than the end of what is counted: ${ends}`);
  }
  if (end < frame.retentionFloor) {
    const floor = formatInstant(frame.retentionFloor);
    throw invalidField('end_date', `must not be before ${floor}: older events are not kept`);
  }
  const start = Math.max(wanted, frame.retentionFloor);
  const bucket = BUCKET_OF[query.granularity];
  const seriesEnd = Math.min(end, frame.now);
  const seriesStart =
    query.granularity === 'realtime' ? Math.max(start, seriesEnd - REALTIME_SECONDS * 1e6) : start;
  // Buckets ahead of now are there where something is, and nothing is further ahead than that.
  const lastSeen = Math.min(end, frame.now + ACCEPTED_AHEAD);
  if ((lastSeen - seriesStart) / 1e6 / BUCKET_SECONDS[bucket] > BUCKETS_MAX) throw tooManyBuckets();
  return {
    experimentId: frame.experimentId,
    eventTypes: query.event_type,
    start: formatInstant(start),
    end: formatInstant(end),
    seriesEnd: formatInstant(seriesEnd),
    contextFilters: conditionsOn('context', query.filters),
    propertyFilters: conditionsOn('properties', query.filters),
    metrics,
    retentionFloor: formatInstant(frame.retentionFloor),
    segmentBy: query.segment_by?.slice('context.'.length) ?? null,
    alpha,
    metricSeries: query.series ?? [],
    series: { bucket, start: formatInstant(seriesStart) },
  };
}

/**
 * The question as ClickHouse can answer it: its series end where what has arrived ends, so that what
 * is under way is not taken for silence. Asked again later, it stays as it was.
 *
 * @param watermark up to which everything has arrived, in microseconds since the epoch; null: nothing,
 *   so that the series end before they begin
 */
export function upToWatermark(question: Question, watermark: number | null): Question {
  const seriesEnd = must(parseInstant(question.seriesEnd), 'the question has a time');
  return { ...question, seriesEnd: formatInstant(Math.min(seriesEnd, watermark ?? 0)) };
}

/** Segments times variants, or times versions, would be too many for one answer. */
export const tooManySegments = (): DomainError =>
  invalidField(
    'segment_by',
    `gives more than ${ARMS_MAX} arms (segments × variants), or ${COUNTS_MAX} counts over all versions; choose an attribute with fewer values, or filter`,
  );

/** The time series would be too long for one answer. */
export function tooManyBuckets(): DomainError {
  return invalidField(
    'granularity',
    `would give more than ${BUCKETS_MAX} buckets; choose a coarser one or a shorter time`,
  );
}
