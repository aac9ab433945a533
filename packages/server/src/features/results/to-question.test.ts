import { ResultsQuery } from '@assay/contract';
import { formatInstant } from '@assay/core';
import { describe, expect, test } from 'vitest';
import { toQuestion, upToWatermark } from './to-question.ts';

const MINUTE = 60e6;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-03-12T10:00:00Z') * 1_000;

/** A question about an experiment that began 30 days ago. */
const ask = (given: { readonly [name: string]: string }, startedAt = NOW - 30 * DAY) =>
  toQuestion(ResultsQuery.parse(given), [], 0.05, {
    experimentId: 1,
    now: NOW,
    startedAt: formatInstant(startedAt),
    stoppedAt: null,
    firstAssignedAt: null,
    retentionFloor: NOW - 800 * DAY,
  });
const at = (micros: number): string => formatInstant(micros);

describe('a question', () => {
  test('is of the last hour in real time, whatever end lies ahead', () => {
    for (const end of [NOW, NOW + 2 * HOUR, NOW + 14 * HOUR, NOW + 90 * DAY]) {
      const { series, seriesEnd } = ask({ granularity: 'realtime', end_date: at(end) });
      expect(series).toEqual({ bucket: 'minute', start: at(NOW - HOUR) });
      expect(seriesEnd).toBe(at(NOW));
    }
    const past = ask({ granularity: 'realtime', end_date: at(NOW - 5 * HOUR) });
    expect(past.series.start).toBe(at(NOW - 6 * HOUR));
    expect(past.seriesEnd).toBe(at(NOW - 5 * HOUR));
  });

  test('begins no earlier in real time than anything counts', () => {
    const { series } = ask({ granularity: 'realtime' }, NOW - 5 * MINUTE);
    expect(series.start).toBe(at(NOW - 5 * MINUTE));
  });

  test('has as many buckets as there can be something in, whatever end lies ahead', () => {
    const hours = (days: number, end: number) =>
      ask({ granularity: 'hour', start_date: at(NOW - days * DAY), end_date: at(end) });
    expect(hours(400, NOW + 9_000 * DAY).series.bucket).toBe('hour');
    expect(() => hours(418, NOW - DAY)).toThrow('granularity');
    expect(hours(416, NOW).series.bucket).toBe('hour');
    // Events are taken up to a day ahead, and then have buckets too.
    expect(hours(415, NOW + 9_000 * DAY).series.bucket).toBe('hour');
    expect(() => hours(416, NOW + 9_000 * DAY)).toThrow('granularity');
  });

  test('may begin ahead of now', () => {
    const { start, series, seriesEnd } = ask({
      granularity: 'realtime',
      start_date: at(NOW + HOUR),
      end_date: at(NOW + 2 * HOUR),
    });
    expect([start, series.start, seriesEnd]).toEqual([at(NOW + HOUR), at(NOW + HOUR), at(NOW)]);
  });

  test('has series of ClickHouse no longer than what has arrived', () => {
    const question = ask({ end_date: at(NOW - 5 * DAY) });
    const endAt = (watermark: number | null) => upToWatermark(question, watermark).seriesEnd;
    expect(endAt(NOW - 6 * DAY)).toBe(at(NOW - 6 * DAY));
    // What came later is not asked for.
    expect(endAt(NOW)).toBe(at(NOW - 5 * DAY));
    expect(endAt(null) < question.start).toBe(true);
    const again = upToWatermark(upToWatermark(question, NOW - 6 * DAY), NOW);
    expect(again).toEqual({ ...question, seriesEnd: at(NOW - 6 * DAY) });
  });
});
