import { murmur3 } from '../src/assignment/murmur3.ts';
import { binomialAcceptance, ksUniform } from '../src/stats/index.ts';
import { type Random, randomStream } from '../test/stats/random.ts';

/** The level of every test here that has no other. */
export const ALPHA = 0.05;
/** The chance, at most, that a figure that is right is called wrong (§9.3). */
const FALSE_ALARM = 0.001;

/** What the true rate behind a figure must be. */
export interface Expectation {
  readonly atLeast: number;
  readonly atMost: number;
  /** The figure must show beyond doubt that the rate is above `atMost`: a test that must bite. */
  readonly mustExceed?: boolean;
  /** Why it is not simply the nominal rate. */
  readonly why?: string;
}

/** One thing that is counted in a study. */
export interface Figure {
  readonly name: string;
  readonly expectation: Expectation;
  /** Its p-values are uniform, which Kolmogorov & Smirnov's test then checks. */
  readonly isUniform?: boolean;
}

/** Experiments that are simulated, and what is counted in them. */
export interface Study {
  /** Of the specification. */
  readonly section: '9.3' | '9.4' | '9.5';
  readonly name: string;
  readonly simulations: number;
  readonly figures: readonly Figure[];
  /**
   * Makes the simulation of one experiment, which returns a value for each figure: a p-value counts
   * when it is below `ALPHA`, `true` counts. What costs time once is done here, once.
   */
  readonly prepare: () => Simulate;
}

type Simulate = (random: Random) => readonly (number | boolean)[];

/** A figure that is computed without chance. */
export interface ExactStudy {
  readonly section: Study['section'];
  readonly name: string;
  readonly figures: readonly Figure[];
  readonly compute: () => readonly number[];
}

export const exactly = (rate: number): Expectation => ({ atLeast: rate, atMost: rate });
export const atMost = (rate: number, why?: string): Expectation => between(0, rate, why);
export const atLeast = (rate: number, why?: string): Expectation => between(rate, 1, why);
export const between = (low: number, high: number, why?: string): Expectation => ({
  atLeast: low,
  atMost: high,
  ...(why === undefined ? {} : { why }),
});
export const exceeds = (rate: number, why?: string): Expectation => ({
  ...between(0, rate, why),
  mustExceed: true,
});

/** What was counted in some simulations, one entry for each figure. */
export interface Tally {
  readonly simulations: number;
  readonly hits: readonly number[];
  /** Of the figures whose p-values are uniform; empty for others. */
  readonly pValues: readonly (readonly number[])[];
}

/** Experiments are simulated in parts of this size, each with numbers of its own. */
export const PART_SIZE = 250;

const prepared = new WeakMap<Study, Simulate>();

function simulationOf(study: Study): Simulate {
  const simulate = prepared.get(study) ?? study.prepare();
  prepared.set(study, simulate);
  return simulate;
}

/** Simulates one part of a study. The same seed, name and part give the same numbers anywhere. */
export function simulatePart(study: Study, seed: number, part: number, simulations: number): Tally {
  const random = randomStream(murmur3(`${seed}/${study.section}/${study.name}/${part}`));
  const simulate = simulationOf(study);
  const hits = study.figures.map(() => 0);
  const pValues: number[][] = study.figures.map(() => []);
  for (let i = 0; i < simulations; i++) {
    const values = simulate(random);
    for (const [k, figure] of study.figures.entries()) {
      const value = values[k] ?? Number.NaN;
      if (Number.isNaN(value)) throw new Error(`${study.name}, ${figure.name}: not a number`);
      if (value === true || (typeof value === 'number' && value < ALPHA))
        hits[k] = (hits[k] ?? 0) + 1;
      if (figure.isUniform === true) pValues[k]?.push(Number(value));
    }
  }
  return { simulations, hits, pValues };
}

export const mergeTallies = (a: Tally, b: Tally): Tally => ({
  simulations: a.simulations + b.simulations,
  hits: a.hits.map((count, k) => count + (b.hits[k] ?? 0)),
  pValues: a.pValues.map((values, k) => [...values, ...(b.pValues[k] ?? [])]),
});

/** The figure of one cell against its band. */
export interface Verdict {
  readonly section: Study['section'];
  readonly study: string;
  readonly figure: string;
  /** 0 when it was computed without chance. */
  readonly simulations: number;
  readonly rate: number;
  /** The band of acceptance, both ends included. */
  readonly low: number;
  readonly high: number;
  readonly mustExceed: boolean;
  /** Of the test that p-values are uniform; null without it. */
  readonly ksPValue: number | null;
  readonly why: string | null;
  readonly isOk: boolean;
}

/** How far chance may carry a count from an expected rate. */
function acceptance(
  simulations: number,
  rate: number,
  falseAlarm: number,
): { low: number; high: number } {
  if (simulations === 0 || rate <= 0 || rate >= 1) return { low: rate, high: rate };
  const band = binomialAcceptance(simulations, rate, falseAlarm);
  if (band.status !== 'ok') throw new Error(`no band for ${simulations} at ${rate}`);
  return { low: band.lowerCount / simulations, high: band.upperCount / simulations };
}

function judge(
  study: Study | ExactStudy,
  figure: Figure,
  simulations: number,
  rate: number,
  pValues: readonly number[],
  falseAlarm: number,
): Verdict {
  const { expectation, name, isUniform = false } = figure;
  const { mustExceed = false, why = null } = expectation;
  const low = acceptance(simulations, expectation.atLeast, falseAlarm).low;
  const high = acceptance(simulations, expectation.atMost, falseAlarm).high;
  const ks = isUniform ? ksUniform(pValues) : null;
  if (ks !== null && ks.status !== 'ok') {
    throw new Error(`${study.name}, ${name}: p-values that cannot be tested (${ks.status})`);
  }
  const ksPValue = ks?.pValue ?? null;
  const isInside = mustExceed ? rate > high : rate >= low && rate <= high;
  return {
    section: study.section,
    study: study.name,
    figure: name,
    simulations,
    rate,
    low,
    high,
    mustExceed,
    ksPValue,
    why,
    isOk: isInside && (ksPValue === null || ksPValue >= falseAlarm),
  };
}

/**
 * Holds what was counted against what was expected.
 *
 * @param falseAlarm the chance, at most, that a figure that is right is called wrong
 */
export const judgeStudy = (
  study: Study,
  { simulations, hits, pValues }: Tally,
  falseAlarm = FALSE_ALARM,
): Verdict[] =>
  study.figures.map((figure, k) =>
    judge(study, figure, simulations, (hits[k] ?? 0) / simulations, pValues[k] ?? [], falseAlarm),
  );

/** The same for figures without chance. */
export function judgeExact(study: ExactStudy): Verdict[] {
  const rates = study.compute();
  return study.figures.map((figure, k) =>
    judge(study, figure, 0, rates[k] ?? Number.NaN, [], FALSE_ALARM),
  );
}

export const isExact = (study: Study | ExactStudy): study is ExactStudy => 'compute' in study;
