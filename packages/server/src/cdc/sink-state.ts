// What the sink keeps of itself in ClickHouse: the epochs of its sources, and how far it has come.
import { formatInstant } from '@assay/core';
import { type ClickHouse, rowsOf } from '../platform/clickhouse.ts';
import { parseLsn } from './lsn.ts';
import type { SystemIdentity } from './replication-stream.ts';
import type { ChangeBatch } from './source.ts';

interface Epoch {
  readonly system_identifier: string;
  readonly timeline: number;
  readonly epoch: number;
}

/** Every epoch that was given out, in order; none says that this ClickHouse was never filled. */
export const readEpochs = (clickhouse: ClickHouse): Promise<readonly Epoch[]> =>
  rowsOf<Epoch>(clickhouse, {
    query: 'SELECT system_identifier, timeline, epoch FROM cdc_epochs ORDER BY epoch',
  });

/**
 * The epoch of a database. A new one is given to a (system, timeline) that was not seen before,
 * and to one whose WAL is shorter than what was already received from it: its files were put back
 * to an earlier day, and it gives the same LSNs to other changes now.
 */
export async function ensureEpoch(
  clickhouse: ClickHouse,
  source: string,
  { system, timeline, flushed }: SystemIdentity,
): Promise<number> {
  const epochs = await readEpochs(clickhouse);
  const known = epochs.findLast(
    (row) => row.system_identifier === system && row.timeline === timeline,
  );
  if (known !== undefined) {
    const position = await readPosition(clickhouse, source);
    if (position === null || parseLsn(position) <= flushed) return known.epoch;
    await resetWatermark(clickhouse);
  }
  const epoch = (epochs.at(-1)?.epoch ?? 0) + 1;
  await clickhouse.command({
    query: `INSERT INTO cdc_epochs (system_identifier, timeline, epoch) SETTINGS async_insert = 0
            SELECT {system:String}, {timeline:UInt32}, {epoch:UInt16}`,
    query_params: { system, timeline, epoch },
  });
  return epoch;
}

async function readPosition(clickhouse: ClickHouse, source: string): Promise<string | null> {
  const [row] = await rowsOf<{ position: string }>(clickhouse, {
    query: 'SELECT position FROM cdc_watermark FINAL WHERE source = {source:String}',
    query_params: { source },
  });
  return row?.position ?? null;
}

/** Says how far ClickHouse has come; never back, whatever arrives in which order. */
export async function writeWatermark(
  clickhouse: ClickHouse,
  source: string,
  { committedAt, position }: ChangeBatch,
): Promise<void> {
  await clickhouse.command({
    query: `INSERT INTO cdc_watermark (source, committed_at, position) SETTINGS async_insert = 0
            SELECT {source:String}, parseDateTime64BestEffort({at:String}, 6, 'UTC'), {position:String}`,
    query_params: { source, at: formatInstant(committedAt), position },
  });
}

/** Says that nothing is covered any more: what ClickHouse holds is about to be copied anew. */
export async function resetWatermark(clickhouse: ClickHouse): Promise<void> {
  await clickhouse.command({ query: 'TRUNCATE TABLE cdc_watermark' });
}
