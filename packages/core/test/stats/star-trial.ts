import type { Outcome } from '../../src/stats/index.ts';
import { ARMS, type Arm, type Pupil, TREATMENTS } from './star.ts';

/** What the analysis of the trial is told; the Python script is told the same. */
export const SETTINGS = {
  alpha: 0.05,
  /** In points, relative to the control, and in rate. */
  margins: { absolute: 5, relative: 0.01, rate: 0.03 },
  tuningN: 5000,
  /** Pupils of all arms at each look, in the order of the file. */
  looks: [2000, 4000, 6325],
  /** Pupils of two arms: more than came, so that the last look spends what is left. */
  plannedUnits: 4500,
  /** Pupils of all arms: more than came, and as many. */
  plans: { running: 8000, ended: 6325 },
  /** Relative, of the rate of pupils that were tested. */
  guardrailMargin: 0.01,
  mixingVariance: 100,
  priorVariance: 0.09,
  capPercentile: 0.99,
  quantiles: [0.5, 0.95],
  weights: [35, 30, 35],
  design: { looks: 3, power: 0.8 },
} as const;

/** The numbers of an outcome; a refusal is an error here. */
export function ok<T>(outcome: Outcome<T>): T {
  if (outcome.status !== 'ok') throw new Error(outcome.status);
  return outcome;
}

/** All pupils, and those of each arm. */
export interface Trial {
  readonly pupils: readonly Pupil[];
  readonly arms: ReadonlyMap<Arm, readonly Pupil[]>;
}

export const armOf = ({ arms }: Trial, arm: Arm): readonly Pupil[] => arms.get(arm) ?? [];

/** One result per treatment under its name. */
export const perTreatment = <T>(of: (arm: Arm) => T): Readonly<Record<string, T>> =>
  Object.fromEntries(TREATMENTS.map((arm) => [arm, of(arm)]));

/** One result per arm under its name. */
export const perArm = <T>(of: (arm: Arm) => T): Readonly<Record<string, T>> =>
  Object.fromEntries(ARMS.map((arm) => [arm, of(arm)]));
