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

/** What an experiment is decided by; it may not depend on what results show. */
export interface ExperimentPlan {
  readonly method: Experiment['analysis']['method'];
  readonly confidence_level: number;
  readonly expected_users: number | null;
  readonly ends_at: string | null;
  /** Goals and guardrails, which decide. */
  readonly metrics: Experiment['metrics'];
}

/** What one version of a started experiment assigned by, and was to be decided by. */
export interface ExperimentVersion {
  readonly version: number;
  readonly coverage: number;
  readonly allocations: readonly { readonly variantId: number; readonly allocation: number }[];
  readonly effectiveAt: string;
  /** Null for versions from before plans were kept. */
  readonly plan: ExperimentPlan | null;
}

export const planOfExperiment = ({
  analysis: { method, confidence_level, expected_users },
  endsAt,
  metrics,
}: Pick<ExperimentRecord, 'analysis' | 'endsAt' | 'metrics'>): ExperimentPlan => ({
  method,
  confidence_level,
  expected_users,
  ends_at: endsAt,
  metrics: metrics.filter(({ role }) => role !== 'secondary'),
});
