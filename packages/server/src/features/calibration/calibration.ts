import type { Calibration } from '@assay/contract';

/** A calibration as stored; times RFC 3339 UTC text. */
export interface CalibrationRecord {
  readonly id: number;
  readonly experimentId: number;
  readonly experimentKey: string;
  readonly status: Calibration['status'];
  readonly method: Calibration['method'];
  readonly alpha: number;
  readonly splits: number;
  readonly metrics: readonly string[];
  readonly seed: string;
  readonly isAutomatic: boolean;
  readonly attempts: number;
  readonly progress: number;
  readonly error: string | null;
  readonly result: Calibration['result'];
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** What is calibrated. */
export type CalibrationPlan = Pick<
  CalibrationRecord,
  'experimentId' | 'method' | 'alpha' | 'splits' | 'metrics' | 'seed'
>;

/** A calibration as it is answered. */
export const toCalibration = (record: CalibrationRecord): Calibration => ({
  id: record.id,
  status: record.status,
  experiment: record.experimentKey,
  automatic: record.isAutomatic,
  method: record.method,
  alpha: record.alpha,
  splits: record.splits,
  metrics: [...record.metrics],
  seed: record.seed,
  progress: record.progress,
  attempts: record.attempts,
  error: record.error,
  created_at: record.createdAt,
  started_at: record.startedAt,
  finished_at: record.finishedAt,
  result: record.result,
});
