import { DomainError } from './errors.ts';

/** The versions one of which a change must find, as `If-Match` says it; undefined: any. */
export type ExpectedVersions = readonly number[] | undefined;

/**
 * Refuses a change of another version than its caller has seen.
 *
 * @throws DomainError `version_mismatch`
 */
export function requireVersion(
  { key, version }: { readonly key: string; readonly version: number },
  expected: ExpectedVersions,
): void {
  if (expected === undefined || expected.includes(version)) return;
  throw new DomainError(
    'version_mismatch',
    `"${key}" is at version ${version}, not ${expected.join(', ')}; read it again`,
  );
}
