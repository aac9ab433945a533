import type { JsonDifference } from '@assay/contract';
import { z } from 'zod';
import type { Answer } from '../results/question.ts';
import type { ResultsBundle } from '../results/to-results.ts';
import { BUNDLE_FORMAT, type StoredBundle } from './bundle.ts';
import { pathTo } from './differences.ts';

/** Why nothing can be computed from a stored bundle. */
export interface Unreadable {
  /** At least one: the places that this engine takes for something else. */
  readonly differences: readonly JsonDifference[];
  /** In words. */
  readonly note: string;
}

const object = z.record(z.string(), z.unknown());
const rows = z.array(object);

// The parts of a bundle and no more: what is within them changes with the format alone, and what is
// damaged there shows when it is computed from.
const PARTS = z.object({
  experiment: z.object({ variants: rows }),
  versions: rows,
  uses: z.array(z.object({ metric: object })),
  query: object,
  question: z.object({ experimentId: z.number(), start: z.string(), end: z.string() }),
  sourced: z.object({
    source: z.enum(['postgresql', 'clickhouse']),
    asOf: z.string().nullable(),
    answer: z.object({
      users: rows,
      arms: rows,
      steps: rows,
      caps: rows,
      versions: rows,
      series: rows,
      assigned: rows,
      metricSeries: rows,
    } satisfies Record<keyof Answer, typeof rows>),
  }),
  trouble: object,
  redefinitions: rows,
  options: object,
  queryMs: z.number(),
} satisfies Record<keyof ResultsBundle | 'queryMs', z.ZodType>);

/** A stored bundle as this engine understands it, or why it does not. Pure. */
export function readBundle(text: string): StoredBundle | Unreadable {
  const json = parsed(text);
  const isObject = object.safeParse(json).success;
  const format = isObject ? (inside(json, 'format') ?? 1) : undefined;
  if (isObject && format !== BUNDLE_FORMAT) {
    return {
      differences: [{ path: 'bundle.format', stored: format, recomputed: BUNDLE_FORMAT }],
      note: `Its bundle has format ${JSON.stringify(format)}, and this engine reads format ${BUNDLE_FORMAT}: it can neither compute from the bundle nor ask the store the same question again. The engine that made it can; a new snapshot with the same parameters says what the data gives now`,
    };
  }
  const { error } = PARTS.safeParse(json);
  if (error === undefined) return json as StoredBundle;
  return {
    differences: error.issues.map(({ path }) => {
      const steps = path.map((step) => (typeof step === 'number' ? step : String(step)));
      const stored = steps.reduce<unknown>(inside, json);
      return {
        path: steps.reduce<string>(pathTo, 'bundle'),
        ...(stored === undefined ? {} : { stored }),
      };
    }),
    note: 'Its bundle is damaged: the places that differ are missing or hold something else than a bundle does, so nothing can be computed from it, nor can the store be asked its question again. The stored result is not touched by that',
  };
}

/** Whether a bundle could not be read. */
export const isUnreadable = (read: StoredBundle | Unreadable): read is Unreadable =>
  'differences' in read;

/** The value of a JSON text; the text itself where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const inside = (value: unknown, step: string | number): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, step)
    ? (value as Readonly<Record<string | number, unknown>>)[step]
    : undefined;
