import type { VersionCount } from './question.ts';

/** Users of a version as both stores select them. */
export interface VersionRow {
  readonly version: number;
  readonly variant_id: number;
  readonly users: number;
  /** 1: of all days, of all sources, or of all segments, together. */
  readonly all_days: number;
  readonly all_sources: number;
  readonly all_segments: number;
  readonly day: number | null;
  readonly source: string | null;
  readonly segment: string | null;
}

export const toVersions = (rows: readonly VersionRow[]): readonly VersionCount[] =>
  rows.map((row) => ({
    version: row.version,
    variantId: row.variant_id,
    users: row.users,
    ...(row.all_days === 1 || row.day === null ? {} : { day: row.day }),
    ...(row.all_sources === 1 ? {} : { source: row.source === 'hash' ? 'hash' : 'reported' }),
    ...(row.all_segments === 1 ? {} : { segment: row.segment }),
  }));
