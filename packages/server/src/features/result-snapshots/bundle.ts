import { Results } from '@assay/contract';
import { utf8Length } from '@assay/core';
import { z } from 'zod';
import { invalidField } from '../../errors.ts';
import { type ResultsBundle, toResults } from '../results/to-results.ts';

/**
 * Raised when the shape of a bundle changes, so that an engine tells those that it cannot read from
 * those that it can. Bundles without a number are of the first format.
 */
export const BUNDLE_FORMAT: number = 3;

/** What is stored of a result: all that it is a function of. */
export interface StoredBundle extends ResultsBundle {
  readonly format?: number;
  /** Of the engine that gathered it. */
  readonly engineVersion?: string;
  /** Milliseconds that it took to gather. */
  readonly queryMs: number;
}

/** Of the text of a bundle, and of that of a result. */
const BYTES_MAX = 4 * 1024 * 1024;

/** The JSON text of a bundle's result, as the API answers results. Pure. */
export const resultText = ({ queryMs, ...bundle }: StoredBundle): string =>
  JSON.stringify(z.encode(Results, toResults(bundle, queryMs)));

/** What JSON keeps of a value: no sign of zero, no fields without a value. */
export const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/**
 * The texts of a bundle and of its result. The result is computed from what can be read back of the
 * bundle, so that it can be computed again.
 *
 * @throws DomainError `invalid` naming the parameter to narrow when a text would be too long
 */
export function toTexts(bundle: StoredBundle): {
  readonly bundle: string;
  readonly result: string;
} {
  const text = JSON.stringify(bundle);
  const result = resultText(JSON.parse(text) as StoredBundle);
  const bytes = Math.max(utf8Length(text), utf8Length(result));
  if (bytes > BYTES_MAX) throw tooLarge(bundle, bytes);
  return { bundle: text, result };
}

/** Says which part of a bundle is the largest, and what makes it smaller. */
function tooLarge({ sourced: { answer } }: StoredBundle, bytes: number) {
  const { series, assigned, metricSeries, users, arms, steps, versions } = answer;
  const parts = [
    {
      path: 'granularity',
      part: [series, assigned],
      remedy: 'choose a coarser one, fewer event types or a shorter time',
    },
    { path: 'series', part: metricSeries, remedy: 'choose fewer of them, or a shorter time' },
    {
      path: 'segment_by',
      part: [users, arms, steps, versions],
      remedy: 'leave it out, choose an attribute with fewer values, or fewer metrics',
    },
  ];
  const size = (part: unknown): number => JSON.stringify(part).length;
  const [largest] = parts.toSorted((a, b) => size(b.part) - size(a.part));
  const mebibytes = (bytes / 1024 / 1024).toFixed(1);
  const max = BYTES_MAX / 1024 / 1024;
  return invalidField(
    largest?.path ?? 'metrics',
    `makes a snapshot of ${mebibytes} MiB, and at most ${max} are stored; ${largest?.remedy ?? ''}`,
  );
}
