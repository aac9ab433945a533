/** What the change data capture of this process is doing, for `/ready`. */
export interface CdcStatus {
  readonly state: 'starting' | 'waiting' | 'backfilling' | 'streaming' | 'retrying' | 'stopped';
  /** Milliseconds between now and the newest commit that is known to be in ClickHouse. */
  readonly lagMs: number | null;
  readonly lastError: string | null;
}

/** The newest commit moves with the heartbeat, so up to this age it says nothing of a delay. */
const QUIET_MS = 2_500;

/** What one run knows and all runs show. */
export interface Progress {
  state: CdcStatus['state'];
  lastError: string | null;
  /** Commit time of the newest transaction that is known to be in ClickHouse, in microseconds. */
  visibleUntil: number | null;
  /** From commit to visible, of the last flush, in milliseconds. */
  delayMs: number | null;
}

export function createProgress(): Progress {
  return { state: 'starting', lastError: null, visibleUntil: null, delayMs: null };
}

/** How far ClickHouse is behind at `nowMs`, in milliseconds; grows while nothing arrives. */
export function lagMs({ visibleUntil, delayMs }: Progress, nowMs: number): number | null {
  if (visibleUntil === null) return null;
  const ageMs = Math.max(0, Math.round(nowMs - visibleUntil / 1_000));
  return ageMs > QUIET_MS ? ageMs : (delayMs ?? ageMs);
}
