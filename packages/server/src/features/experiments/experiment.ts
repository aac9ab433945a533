import type { Experiment } from '@assay/contract';
import type { ExperimentStatus } from '@assay/core';

/** A variant as stored; `allocation` in hundredths of a percent. */
export interface VariantRecord {
  readonly id: number;
  readonly position: number;
  readonly key: string;
  readonly name: string;
  readonly allocation: number;
  readonly isControl: boolean;
  readonly config: Record<string, unknown>;
}

/** An experiment as stored; `coverage` in hundredths of a percent, times RFC 3339 UTC text. */
export interface ExperimentRecord {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly hypothesis: string;
  readonly seed: string;
  readonly status: ExperimentStatus;
  readonly version: number;
  readonly coverage: number;
  /** In position order. */
  readonly variants: readonly VariantRecord[];
  readonly metrics: Experiment['metrics'];
  readonly analysis: Experiment['analysis'];
  readonly startsAt: string | null;
  readonly endsAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly startedAt: string | null;
  readonly stoppedAt: string | null;
}

/** What one version of a started experiment assigned by. */
export interface ExperimentVersion {
  readonly version: number;
  readonly coverage: number;
  readonly allocations: readonly { readonly variantId: number; readonly allocation: number }[];
  readonly effectiveAt: string;
}
