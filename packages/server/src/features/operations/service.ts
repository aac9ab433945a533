import type { Readiness } from '@assay/contract';
import type { CdcStatus } from '../../cdc/status.ts';
import type { Deps } from '../../deps.ts';
import type { LiveSnapshot } from '../snapshot/snapshot.ts';
import { ping } from './store.ts';

export interface OperationDeps
  extends Pick<Deps, 'db' | 'resultsDb' | 'clickhouse' | 'metrics' | 'now'> {
  readonly snapshot: LiveSnapshot;
  readonly cdcStatus?: (() => CdcStatus) | undefined;
}

type Part = Readiness['parts'][string];

const CHECK_TIMEOUT_MS = 1_000;
/** How long an answer stands, so that asking often costs the stores nothing. */
const ANSWER_TTL_MS = 500;

/** Answers whether this process can serve; one check at a time, however many ask. */
export function createReadiness(deps: OperationDeps): () => Promise<Readiness> {
  let answer: Promise<Readiness> | undefined;
  let askedAt = 0;
  return () => {
    if (answer === undefined || deps.now() - askedAt > ANSWER_TTL_MS) {
      askedAt = deps.now();
      answer = check(deps);
    }
    return answer;
  };
}

/**
 * The process serves as long as it has a snapshot: known users are answered from memory when
 * PostgreSQL is away, and results come from PostgreSQL when ClickHouse is.
 */
async function check(deps: OperationDeps): Promise<Readiness> {
  const { db, clickhouse, snapshot, cdcStatus } = deps;
  const [postgresql, analytics] = await Promise.all([
    probe(() => ping(db), 'down'),
    clickhouse === undefined
      ? ({ status: 'off', detail: 'CLICKHOUSE_URL is none' } as const)
      : probe(async () => {
          const result = await clickhouse.ping();
          if (!result.success) throw result.error;
        }, 'degraded'),
  ]);
  const parts: Record<string, Part> = {
    postgresql,
    clickhouse: analytics,
    snapshot: toSnapshotPart(snapshot),
    ...(cdcStatus === undefined ? {} : { cdc: toCdcPart(cdcStatus()) }),
  };
  const isHealthy = Object.values(parts).every(({ status }) => status === 'ok' || status === 'off');
  const status = !snapshot.isLoaded() ? 'down' : isHealthy ? 'ok' : 'degraded';
  return { status, parts };
}

function toSnapshotPart(snapshot: LiveSnapshot): Part {
  if (!snapshot.isLoaded()) return { status: 'down', detail: 'not loaded yet' };
  if (!snapshot.isLive()) return { status: 'degraded', detail: 'changes may be missed' };
  return { status: 'ok' };
}

function toCdcPart({ state, lagMs }: CdcStatus): Part {
  const isWell = state === 'streaming' || state === 'waiting';
  return { status: isWell ? 'ok' : 'degraded', detail: state, lag_ms: lagMs };
}

async function probe(ask: () => Promise<void>, failure: 'down' | 'degraded'): Promise<Part> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), CHECK_TIMEOUT_MS);
  });
  try {
    const outcome = await Promise.race([ask(), timeout]);
    if (outcome !== 'late') return { status: 'ok' };
    return { status: failure, detail: `no answer within ${CHECK_TIMEOUT_MS} ms` };
  } catch (error) {
    // A code and no message: a message names hosts and users, which only the log may tell.
    const { code } = error as { readonly code?: unknown };
    const detail = typeof code === 'string' ? `cannot be used: ${code}` : 'cannot be used';
    return { status: failure, detail };
  } finally {
    clearTimeout(timer);
  }
}

/** The process's measurements in Prometheus' text format. */
export async function renderMetrics({
  db,
  resultsDb,
  metrics,
}: Pick<OperationDeps, 'db' | 'resultsDb' | 'metrics'>): Promise<{ type: string; text: string }> {
  const { poolConnections, registry } = metrics;
  for (const [pool, { idleCount, totalCount, waitingCount }] of Object.entries({
    main: db,
    results: resultsDb,
  })) {
    poolConnections.set({ pool, state: 'idle' }, idleCount);
    poolConnections.set({ pool, state: 'in_use' }, totalCount - idleCount);
    poolConnections.set({ pool, state: 'waiting' }, waitingCount);
  }
  return { type: registry.contentType, text: await registry.metrics() };
}
