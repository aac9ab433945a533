import { describe, expect, it } from 'vitest';
import { experimentRecord } from '../../../test/experiment-record.ts';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import { analysisOptions } from './analysis-input.ts';

const [MIDDLE, END, LATER] = [
  '2026-01-08T00:00:00.000000Z',
  '2026-01-15T00:00:00.000000Z',
  '2026-01-20T00:00:00.000000Z',
] as const;
const CHOSEN = { method: 'sequential', alpha: 0.05, minSample: 100 } as const;

const experiment = (given: Partial<ExperimentRecord>): ExperimentRecord =>
  experimentRecord({
    analysis: { method: 'sequential', confidence_level: 95, expected_users: 10_000 },
    endsAt: END,
    ...given,
  });

const at = (now: string, until: string, given: Partial<ExperimentRecord> = {}) =>
  analysisOptions(experiment(given), CHOSEN, Date.parse(now), until);

describe('an experiment whose end was set beforehand', () => {
  it('has ended as planned once that end has come', () => {
    expect(at(MIDDLE, MIDDLE)).toMatchObject({ isOver: false, endedAsPlanned: false });
    expect(at(LATER, LATER)).toMatchObject({ isOver: true, endedAsPlanned: true });
    const stopped = { status: 'stopped', stoppedAt: END } as const;
    expect(at(LATER, END, stopped)).toMatchObject({ isOver: true, endedAsPlanned: true });
  });

  it('has not when it was stopped before', () => {
    const stopped = { status: 'stopped', stoppedAt: MIDDLE } as const;
    expect(at(LATER, MIDDLE, stopped)).toMatchObject({ isOver: true, endedAsPlanned: false });
  });

  it('was on the way for whoever asks what was known before', () => {
    expect(at(LATER, MIDDLE)).toMatchObject({ isOver: false, endedAsPlanned: false });
    const stopped = { status: 'stopped', stoppedAt: END } as const;
    expect(at(LATER, MIDDLE, stopped)).toMatchObject({ isOver: false, endedAsPlanned: false });
  });
});
