// How parts of statements are put together, alike in both stores.

export const and = (conditions: readonly string[]): string => conditions.join(' AND ');

/** What is the same in all rows of a group. */
export const once = (name: string): string => `min(${name})`;

/** Further columns after the first. */
export const list = (parts: readonly string[]): string => parts.map((part) => `, ${part}`).join('');
