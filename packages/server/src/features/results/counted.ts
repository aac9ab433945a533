import type { Filter } from './metric.ts';
import type { Question } from './question.ts';

// Whose results these are, in words: who reads an answer need not have seen what was asked.

type Counted = Pick<Question, 'end' | 'contextFilters'>;

/** That nobody is counted, with all that may be why. */
export function nobodyCounted({ end, contextFilters }: Counted): string {
  const time = `${end.slice(0, 'yyyy-mm-ddThh:mm:ss'.length)}Z`;
  return contextFilters.length === 0
    ? `No user was assigned up to ${time}.`
    : `No user who was assigned up to ${time} has ${conditions(contextFilters)}.`;
}

/**
 * That only a part of the users is counted. Whoever looks at enough parts finds an effect in one of
 * them, and a request does not tell whether it is the first.
 */
export const partCounted = ({ contextFilters }: Counted): readonly string[] =>
  contextFilters.length === 0
    ? []
    : [
        `These are users with ${conditions(contextFilters)} alone, chosen by the request: exploratory unless it was planned.`,
      ];

/** More values of one attribute, and longer ones, would be a list and no sentence. */
const VALUES_MAX = 3;
const VALUE_LENGTH_MAX = 40;

const conditions = (filters: readonly Filter[]): string => filters.map(condition).join(' and ');

function condition({ name, values }: Filter): string {
  const wanted =
    values.length > VALUES_MAX
      ? `one of ${values.length} values`
      : values.map((value) => shortened(value === null ? 'missing' : String(value))).join(' or ');
  return `context.${shortened(name)} = ${wanted}`;
}

const shortened = (text: string): string =>
  text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text;
