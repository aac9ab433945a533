import { type ClickHouse, rowsOf } from '../platform/clickhouse.ts';

/**
 * Drops the months of `events` that lie before a time. By what is there, not by what was dropped
 * elsewhere: an attempt may have failed, or rows have come late.
 *
 * @param floor microseconds since the epoch, the beginning of a month
 * @returns the months that were dropped, as `YYYYMM`
 */
export async function dropMonthsBefore(
  clickhouse: ClickHouse,
  floor: number,
): Promise<readonly string[]> {
  const month = new Date(floor / 1_000).toISOString().slice(0, 7).replace('-', '');
  const parts = await rowsOf<{ id: string }>(clickhouse, {
    query: `SELECT DISTINCT partition_id AS id FROM system.parts
            WHERE database = currentDatabase() AND table = 'events' AND active
              AND toUInt32OrZero(partition_id) BETWEEN 190001 AND {floor:UInt32} - 1
            ORDER BY id`,
    query_params: { floor: Number(month) },
  });
  const ids = parts.map(({ id }) => id);
  for (const id of ids) {
    await clickhouse.command({ query: `ALTER TABLE events DROP PARTITION ID '${id}'` });
  }
  return ids;
}
