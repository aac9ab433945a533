import { describe, expect, it } from 'vitest';
import { STUDIES } from '../../../calibration/studies.ts';
import {
  isExact,
  judgeExact,
  judgeStudy,
  type Study,
  simulatePart,
  type Verdict,
} from '../../../calibration/study.ts';

// A short form of npm run calibrate: the same cells with fewer simulations and wider bands.

const SEED = 1;
/** Of hundreds of figures none should be called wrong by chance. */
const FALSE_ALARM = 1e-5;

const simulate = (study: Study, simulations: number, falseAlarm: number): readonly Verdict[] =>
  judgeStudy(study, simulatePart(study, SEED, 0, simulations), falseAlarm);

/** What is outside of its band. */
const missed = (verdicts: readonly Verdict[]): readonly Verdict[] =>
  verdicts.filter(({ isOk }) => !isOk);

const nameOf = ({ section, name }: { section: string; name: string }): string =>
  `§${section} ${name}`;

// Cells of fewer simulations are those that take long; they are left to npm run calibrate.
const QUICK = STUDIES.filter((study) => !isExact(study) && study.simulations === 10_000) as Study[];

describe('in simulated experiments', () => {
  it.each(QUICK.map((study) => [nameOf(study), study] as const))(
    '%s',
    (_, study) => {
      expect(missed(simulate(study, 200, FALSE_ALARM))).toEqual([]);
    },
    60_000,
  );
});

describe('by enumeration', () => {
  it.each(STUDIES.filter(isExact).map((study) => [nameOf(study), study] as const))(
    '%s',
    (_, study) => {
      expect(missed(judgeExact(study))).toEqual([]);
    },
    60_000,
  );
});

describe('at two hundred looks', () => {
  const [SEQUENCE, PLAN, UNGUARDED] = [
    'sequence, guarded',
    'with a plan, guarded',
    'sequence, unguarded',
  ];
  // The populations that §4.2 warns of, with a small arm.
  const cells = STUDIES.filter(
    (study): study is Study =>
      !isExact(study) && study.figures.some(({ name }) => name === UNGUARDED),
  );

  it.each(cells.map((study) => [study.name, study] as const))(
    '%s: without its guards the test fails, with them it passes',
    (_, study) => {
      const [sequence, plan, unguarded] = simulate(study, 150, 0.001);
      expect(sequence).toMatchObject({ figure: SEQUENCE, isOk: true });
      expect(plan).toMatchObject({ figure: PLAN, isOk: true });
      expect(unguarded).toMatchObject({ figure: UNGUARDED, mustExceed: true, isOk: true });
      // What the guarded one had to stay below is what the other one exceeds.
      expect(unguarded?.rate).toBeGreaterThan(sequence?.high ?? 1);
    },
    60_000,
  );

  it('there are such cells', () => {
    expect(cells.length).toBeGreaterThan(3);
  });
});
