import type { JsonDifference } from '@assay/contract';

/** Whether two values that are not both objects or both lists are taken for the same. */
export type IsSame = (stored: unknown, recomputed: unknown) => boolean;

/**
 * Where two JSON values differ, each place once and in their order. Objects are compared whatever the
 * order of their fields, and lists index by index; where one side has nothing, or something of another
 * sort, the whole of the other side is one difference.
 *
 * @param path of the values themselves
 */
export function differencesOf(
  stored: unknown,
  recomputed: unknown,
  path: string,
  isSame: IsSame = Object.is,
): readonly JsonDifference[] {
  if (Array.isArray(stored) && Array.isArray(recomputed)) {
    const longer = stored.length > recomputed.length ? stored : recomputed;
    return longer.flatMap((_, index) =>
      differencesOf(stored[index], recomputed[index], pathTo(path, index), isSame),
    );
  }
  if (isObject(stored) && isObject(recomputed)) {
    const names = new Set([...Object.keys(stored), ...Object.keys(recomputed)]);
    return [...names].flatMap((name) =>
      differencesOf(own(stored, name), own(recomputed, name), pathTo(path, name), isSame),
    );
  }
  if (isSame(stored, recomputed)) return [];
  return [
    {
      path,
      ...(stored === undefined ? {} : { stored }),
      ...(recomputed === undefined ? {} : { recomputed }),
    },
  ];
}

/** A field or an item; null where a name may be missing. */
export type Step = string | number | null;

/** The path of a step from a path, as JavaScript has it; a hyphen is as good as a letter. */
export const pathTo = (path: string, step: Step): string =>
  typeof step === 'string' && /^[A-Za-z_][\w-]*$/.test(step)
    ? `${path}.${step}`
    : `${path}[${JSON.stringify(step)}]`;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const own = (object: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined;
