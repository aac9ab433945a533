/** What the change data capture of this process is doing, for `/ready`. */
export interface CdcStatus {
  readonly state: 'starting' | 'waiting' | 'backfilling' | 'streaming' | 'retrying' | 'stopped';
  /** Milliseconds between now and the newest commit that is known to be in ClickHouse. */
  readonly lagMs: number | null;
  readonly lastError: string | null;
}
