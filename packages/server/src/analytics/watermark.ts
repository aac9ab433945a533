import { parseInstant } from '@assay/core';
import { must } from '../errors.ts';
import { type ClickHouse, rowsOf } from '../platform/clickhouse.ts';

/** It is one row: who does not give it by then does not give anything. */
const PATIENCE_MS = 2_000;

/**
 * How far ClickHouse has come: the commit time, in microseconds since the epoch, of the last
 * transaction that is in all of its tables; null before the first one.
 *
 * @throws ClickHouseFailure
 */
export async function readWatermark(clickhouse: ClickHouse): Promise<number | null> {
  const [row] = await rowsOf<{ watermark: string; n: number | string }>(clickhouse, {
    query: `SELECT formatDateTime(max(committed_at), '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC') AS watermark, count() AS n
            FROM cdc_watermark`,
    abort_signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (row === undefined || Number(row.n) === 0) return null;
  return must(parseInstant(row.watermark), 'a time of the store');
}
