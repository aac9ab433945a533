import { EXPERIMENT_STATUSES, parseInstant, utf8Length } from '@assay/core';
import { z } from 'zod';

/** Whether both stores can hold the text: no NUL (PostgreSQL refuses it), no lone surrogate. */
const isStorable = (value: string): boolean => !value.includes('\0') && value.isWellFormed();
const storable = { error: 'must be valid Unicode without NUL' };

/** Text of at most `max` characters that both stores can hold. */
export const text = (max: number) =>
  z.string().max(max, `must have at most ${max} characters`).refine(isStorable, storable);

export const Key = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must match ^[a-z][a-z0-9_-]{0,62}$');

const refTo = (thing: string) =>
  z
    .string()
    .regex(/^([a-z][a-z0-9_-]{0,62}|[1-9]\d{0,9})$/, `must be the id or the key of ${thing}`);

/** An experiment by its id or its key. */
export const ExperimentRef = refTo('an experiment');

/** A metric of the catalogue by its id or its key. */
export const MetricRef = refTo('a metric');

/** What kind of thing an event tells of. */
export const EventType = text(128).min(1, 'must not be empty');

export const USER_ID_BYTES_MAX = 256;

/** The randomisation unit: any UTF-8 of 1…256 bytes without NUL. */
export const UserId = z
  .string()
  .min(1, 'must not be empty')
  .refine(isStorable, storable)
  .refine((value) => utf8Length(value) <= USER_ID_BYTES_MAX, {
    error: `must have at most ${USER_ID_BYTES_MAX} bytes in UTF-8`,
  });

const NOT_AN_INSTANT = 'must be an RFC 3339 time with an offset, such as 2026-01-05T10:00:00Z';

/** RFC 3339 with an offset, as text. */
export const Timestamp = z
  .string()
  .refine((value) => parseInstant(value) !== undefined, { error: NOT_AN_INSTANT })
  .meta({ format: 'date-time' });

/** RFC 3339 with an offset, as microseconds since the epoch: parsed once where there are many. */
export const Instant = z
  .string()
  .meta({ format: 'date-time' })
  .transform((value, context) => {
    const micros = parseInstant(value);
    if (micros !== undefined) return micros;
    context.issues.push({ code: 'custom', message: NOT_AN_INSTANT, input: value });
    return z.NEVER;
  });

/** A percentage in 0…100 with at most two decimals. */
export const Percentage = z
  .number()
  .min(0)
  .max(100)
  .refine((value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-7, {
    error: 'must have at most two decimals',
  });

export const ExperimentStatus = z.enum(EXPERIMENT_STATUSES);

const JSON_DEPTH_MAX = 8;

function jsonProblem(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
      return isStorable(value) ? undefined : 'strings must be valid Unicode without NUL';
    case 'number':
      return Number.isFinite(value) ? undefined : 'numbers must be finite';
    case 'object': {
      if (value === null) return undefined;
      if (depth >= JSON_DEPTH_MAX) return `must be at most ${JSON_DEPTH_MAX} levels deep`;
      for (const [key, inner] of Object.entries(value)) {
        const problem = isStorable(key)
          ? jsonProblem(inner, depth + 1)
          : 'names must be valid Unicode without NUL';
        if (problem !== undefined) return problem;
      }
      return undefined;
    }
    default:
      return undefined;
  }
}

/** A JSON object that both stores can hold unchanged, of at most `maxBytes` as JSON text. */
export const jsonObject = (maxBytes: number) =>
  z.record(z.string(), z.unknown()).superRefine((value, context) => {
    const checked = checkJson(value, maxBytes);
    if ('problem' in checked) context.addIssue({ code: 'custom', message: checked.problem });
  });

/** The same as its JSON text, which is made once where there are many. */
export const jsonText = (maxBytes: number) =>
  z.record(z.string(), z.unknown()).transform((value, context) => {
    const checked = checkJson(value, maxBytes);
    if ('text' in checked) return checked.text;
    context.issues.push({ code: 'custom', message: checked.problem, input: value });
    return z.NEVER;
  });

function checkJson(
  value: Record<string, unknown>,
  maxBytes: number,
): { readonly text: string } | { readonly problem: string } {
  const problem = jsonProblem(value, 0);
  if (problem !== undefined) return { problem };
  const text = JSON.stringify(value);
  // A character has at most three bytes, so most texts need not be counted.
  const isSmall = text.length * 3 <= maxBytes || utf8Length(text) <= maxBytes;
  return isSmall ? { text } : { problem: `must have at most ${maxBytes} bytes as JSON` };
}

/** Attributes of a user at the time of an assignment; small, since every assignment keeps them. */
export const CONTEXT_BYTES_MAX = 2_048;
export const Context = jsonObject(CONTEXT_BYTES_MAX);

/** Decimal digits as a number, and nothing that JavaScript would take for some. */
const numberText = (schema: z.ZodNumber) =>
  z.preprocess(
    (value) =>
      typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value,
    schema,
  );

/** The numbers that a parameter may be. */
interface NumberRange {
  readonly min: number;
  readonly max: number;
}

// All that is asked of a number is said at once: which part of it was not met, the reader sees.
const ofRange = ({ min, max }: NumberRange, what: string): z.ZodNumber =>
  z.number({ error: `must be ${what} from ${min} to ${max}, in decimal digits` });

/** A number of a query or a path. */
export const decimalText = (range: NumberRange) =>
  numberText(ofRange(range, 'a number').min(range.min).max(range.max));

/** A whole number of a query or a path. */
export const wholeText = (range: NumberRange) =>
  numberText(
    // Or -1.5 would be told the same twice.
    ofRange(range, 'a whole number').int({ abort: true }).min(range.min).max(range.max),
  );

/** An id in a path. */
export const IdParam = wholeText({ min: 1, max: 2_147_483_647 });

export const PageQuery = z.strictObject({
  limit: wholeText({ min: 1, max: 500 }).default(50),
  cursor: z.string().max(200).optional(),
});

/** One answer of a list: the items and where the next page begins, null at the end. */
export const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });

/** A field that is wrong: its path from the root of the body, query or item, and what is allowed. */
export const FieldError = z.object({ path: z.string(), message: z.string() });
export type FieldError = z.infer<typeof FieldError>;
export const FieldErrorList = z.array(FieldError);
