import type { ExperimentRecord } from '../src/features/experiments/experiment.ts';

const START = '2026-01-01T00:00:00.000000Z';

/** An experiment that runs since 2026-01-01, as stored, with what a test gives of its own. */
export const experimentRecord = (given: Partial<ExperimentRecord> = {}): ExperimentRecord => ({
  id: 1,
  key: 'x',
  name: 'x',
  description: '',
  hypothesis: '',
  seed: 's',
  status: 'running',
  version: 1,
  coverage: 10_000,
  variants: [],
  metrics: [],
  analysis: { method: 'sequential', confidence_level: 95, expected_users: null },
  startsAt: null,
  endsAt: null,
  createdAt: START,
  updatedAt: START,
  startedAt: START,
  stoppedAt: null,
  ...given,
});
