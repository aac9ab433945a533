import type { VersionCount } from './question.ts';

/** Users of a version as both stores select them. */
export interface VersionRow {
  readonly version: number;
  readonly variant_id: number;
  readonly users: number;
  /** 1: of all days, or of all segments, together. */
  readonly all_days: number;
  readonly all_segments: number;
  readonly day: number | null;
  readonly segment: string | null;
}

export const toVersions = (rows: readonly VersionRow[]): readonly VersionCount[] =>
  rows.map(({ version, variant_id, users, all_days, all_segments, day, segment }) => ({
    version,
    variantId: variant_id,
    users,
    ...(all_days === 1 || day === null ? {} : { day }),
    ...(all_segments === 1 ? {} : { segment }),
  }));
