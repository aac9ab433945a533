import { invalidField } from './errors.ts';

/**
 * The id before which the next page begins; null for the first page.
 *
 * @throws DomainError `invalid` for a cursor that no list has given
 */
export function parseCursor(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  if (/^[1-9]\d{0,15}$/.test(cursor)) return Number(cursor);
  throw invalidField('cursor', 'is not one that this list has given');
}

/** One page out of rows that were asked for with one more than the limit. */
export function toPage<Row extends { readonly id: number }>(
  rows: readonly Row[],
  limit: number,
): { items: Row[]; next_cursor: string | null } {
  const items = rows.slice(0, limit);
  return { items, next_cursor: rows.length > limit ? String(items.at(-1)?.id) : null };
}
