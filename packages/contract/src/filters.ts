import { z } from 'zod';
import { text } from './common.ts';

/** What an attribute is compared with. */
const FilterScalar = z.union([text(1_000), z.number(), z.boolean(), z.null()]);
export type FilterScalar = z.infer<typeof FilterScalar>;

/** Whose attribute a filter looks at: the event's or the user's at the assignment. */
export type FilterSide = 'properties' | 'context';

const FILTERS_MAX = 20;
const LIST = 'must be a list of 1 to 100 values';
/** Characters as JSON, all filters together. */
export const FILTERS_LENGTH_MAX = 10_000;

/**
 * Conditions that all hold: `{"properties.plan": "pro", "context.country": ["DE", "AT"]}`. A name is
 * one of the sides, a dot and one attribute, taken literally: a dot in it is part of the name. The
 * value is what the attribute equals, or a list of such.
 */
export const filtersOf = (...sides: readonly FilterSide[]) => {
  const prefixes = sides.map((side) => `"${side}."`).join(' or ');
  return z
    .record(
      text(211).regex(new RegExp(`^(${sides.join('|')})\\..{1,200}$`, 'su')),
      z.union([FilterScalar, z.array(FilterScalar).min(1, LIST).max(100, LIST)], {
        error: 'must be text, a number, true, false, null or a list of 1 to 100 of these',
      }),
      {
        error: ({ code }) =>
          code === 'invalid_key'
            ? `must be ${prefixes} and a name of 1 to 200 characters`
            : 'must be an object of names and values',
      },
    )
    .refine((filters) => Object.keys(filters).length <= FILTERS_MAX, {
      error: `must have at most ${FILTERS_MAX} names`,
    });
};

/** The same where they come as JSON, of which there would otherwise be no limit but the body's. */
export const shortFiltersOf = (...sides: readonly FilterSide[]) =>
  filtersOf(...sides).refine((filters) => JSON.stringify(filters).length <= FILTERS_LENGTH_MAX, {
    error: `must have at most ${FILTERS_LENGTH_MAX} characters as JSON`,
  });

/** The conditions on one side, each with the attribute's name alone and the values that it takes. */
export function conditionsOn(
  side: FilterSide,
  filters: Readonly<Record<string, FilterScalar | readonly FilterScalar[]>> | undefined,
): readonly { readonly name: string; readonly values: readonly FilterScalar[] }[] {
  const prefix = `${side}.`;
  return Object.entries(filters ?? {})
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => ({ name: name.slice(prefix.length), values: [value].flat() }));
}
