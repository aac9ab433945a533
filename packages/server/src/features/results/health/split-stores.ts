import type { Stores } from '../choose-source.ts';
import { askRows, withSettings } from '../clickhouse/sql.ts';
import * as inClickHouse from '../clickhouse/users.ts';
import { allRows, askRow } from '../postgres/sql.ts';
import * as inPostgres from '../postgres/users.ts';
import type { Statement, VersionCount } from '../question.ts';
import { STATEMENT_TIMEOUT_MS } from '../store-postgres.ts';
import { toVersions, type VersionRow } from '../versions.ts';

/** How are the users split who were assigned up to a time? */
export interface SplitQuestion {
  readonly experimentId: number;
  /** RFC 3339 UTC. */
  readonly end: string;
  /** Names of attributes of the context, of each of whose values the split is asked. */
  readonly attributes: readonly string[];
}

/** Counts for each attribute, each with those of all users, days and sources; without attributes once. */
export type SplitAnswer = readonly (readonly VersionCount[])[];

interface Row extends Record<string, unknown> {
  readonly counts: readonly VersionRow[];
  readonly as_of: string;
}

/** Without events: only the users are looked at, once for each attribute. */
export const SPLIT_STORES: Stores<SplitQuestion, SplitAnswer> = {
  async postgres(tx, question) {
    const deadline = performance.now() + STATEMENT_TIMEOUT_MS;
    let asOf = '';
    const answer: (readonly VersionCount[])[] = [];
    const statements: Statement[] = [];
    for (const segmentBy of segmentings(question)) {
      const frame = inPostgres.usersFrameOf(question);
      const users = inPostgres.usersSql({ segmentBy, contextFilters: [] }, frame);
      const counts = inPostgres.versionsSql({ segmentBy });
      const sql = `WITH ${users} SELECT ${allRows(counts)} AS counts, ${inPostgres.AS_OF} AS as_of`;
      statements.push({ sql, parameters: frame.values });
      const row = await askRow<Row>(tx, sql, frame, deadline);
      answer.push(toVersions(row.counts));
      asOf = row.as_of;
    }
    return { answer, statements, asOf };
  },

  async clickhouse(clickhouse, question) {
    const statements: Statement[] = [];
    const answer = segmentings(question).map(async (segmentBy) => {
      const frame = inClickHouse.usersFrameOf(question);
      const sql = withSettings(inClickHouse.versionsSql({ segmentBy, contextFilters: [] }, frame));
      statements.push({ sql, parameters: frame.values });
      return toVersions(await askRows<VersionRow>(clickhouse, sql, frame));
    });
    return { answer: await Promise.all(answer), statements };
  },
};

const segmentings = ({ attributes }: SplitQuestion): readonly (string | null)[] =>
  attributes.length === 0 ? [null] : attributes;
