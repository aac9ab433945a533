import pg from 'pg';
import { ADVISORY_LOCKS } from '../platform/advisory-locks.ts';
import { sleep } from './sleep.ts';

const WAIT_MS = 1_000;
const QUERY_TIMEOUT_MS = 10_000;

/** The connection that holds the lead; with it the lead is lost. */
export interface Leader {
  readonly client: pg.Client;
  /** Aborted when the lead was lost: nothing may be written any more. */
  readonly lost: AbortSignal;
  /** Gives the lead up because it cannot be relied on any more. */
  readonly abandon: (reason: Error) => void;
  readonly end: () => Promise<void>;
}

/** Connects; the lead itself is taken by {@link takeLead}. */
export async function connectLeader(url: string): Promise<Leader> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    query_timeout: QUERY_TIMEOUT_MS,
    application_name: 'assay-cdc-leader',
    keepAlive: true,
    // A leader whose machine vanished says no goodbye: the server asks it after 5 s of silence, and
    // lets the next one lead after 15 s.
    options:
      '-c timezone=UTC -c datestyle=ISO -c extra_float_digits=1 -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2',
  });
  const controller = new AbortController();
  const abandon = (reason: Error): void => controller.abort(reason);
  client.on('error', abandon);
  client.on('end', () => abandon(new Error('the connection of the leader ended')));
  await client.connect();
  // A connection that cannot say goodbye is gone all the same, and the lead with it.
  const end = (): Promise<void> => client.end().catch(() => {});
  return { client, lost: controller.signal, abandon, end };
}

/** Resolves when this worker leads (one per database reads the slot), or when `signal` is aborted. */
export async function takeLead(
  { client, lost }: Leader,
  signal: AbortSignal,
  onWait: () => void,
): Promise<void> {
  while (!signal.aborted) {
    lost.throwIfAborted();
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock($1) AS locked',
      [ADVISORY_LOCKS.leadCdc],
    );
    if (rows[0]?.locked) return;
    onWait();
    await sleep(WAIT_MS, signal);
  }
}
