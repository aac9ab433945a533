import type { ClickHouse } from '../../platform/clickhouse.ts';
import { armSumsSql, seriesSql } from './clickhouse/measures.ts';
import { askRows, type Frame } from './clickhouse/sql.ts';
import { assignedSql, frameOf, versionsSql } from './clickhouse/users.ts';
import { planOf } from './plan.ts';
import type { Answer, AssignedRow, Question, SeriesRow } from './question.ts';
import { type SumsRow, toArms, toCaps, toUsers } from './statistics.ts';
import { toVersions, type VersionRow } from './versions.ts';

/** Answers from ClickHouse, whose statements run side by side. */
export async function askClickHouse(clickhouse: ClickHouse, question: Question): Promise<Answer> {
  const plan = planOf(question.metrics);
  const ask = <Row>(select: (frame: Frame) => string): Promise<readonly Row[]> => {
    const frame = frameOf(question);
    return askRows<Row>(clickhouse, select(frame), frame);
  };
  const [sums, versions, series, assigned] = await Promise.all([
    ask<SumsRow>((frame) => armSumsSql(question, plan, frame)),
    ask<VersionRow>((frame) => versionsSql(question, frame)),
    ask<SeriesRow>((frame) => seriesSql(question, frame)),
    ask<AssignedRow>((frame) => assignedSql(question, frame)),
  ]);
  return {
    users: toUsers(sums),
    arms: toArms(plan, sums),
    steps: [],
    caps: toCaps(plan, sums),
    versions: toVersions(versions),
    series,
    assigned,
    metricSeries: [],
  };
}
