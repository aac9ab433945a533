import {
  bayesNormal,
  bonferroniInterval,
  type CupedArm,
  confidenceSequence,
  covariateArm,
  cupedDifference,
  cupedMultiple,
  cupedRatioArm,
  cupedRatioDifference,
  deltaLift,
  fiellerLift,
  interactedDifference,
  logLift,
  meanInterval,
  mergeJointMoments,
  monitorGroupSequential,
  monitorSequence,
  msprt,
  nonInferiorityAbsolute,
  nonInferiorityRelative,
  postStratifiedDifference,
  ratioOfMoments,
  robustStandardError,
  type Sample,
  welchDifference,
} from '../../src/stats/index.ts';
import {
  type Arm,
  CONTROL,
  groupBy,
  isFemale,
  isFree,
  isLunchKnown,
  isTested,
  type Measure,
  momentsOf,
  type Pupil,
  sampleOf,
  shiftOf,
  TREATMENTS,
  value,
} from './star.ts';
import { armOf, ok, perArm, perTreatment, SETTINGS, type Trial } from './star-trial.ts';

const { alpha, margins, tuningN } = SETTINGS;
const SEQUENCE = { alpha, tuningN } as const;
const O_BRIEN_FLEMING = { alpha, sided: 2, spending: { type: 'obrienFleming' } } as const;

/** What takes no more than two samples. */
function compareSamples(t: Sample, c: Sample) {
  const robust = ok(robustStandardError(t, c));
  const welch = ok(welchDifference(t, c, alpha));
  const delta = ok(deltaLift(t, c, alpha));
  const prior = { mean: 0, variance: SETTINGS.priorVariance };
  const guardrail = { alpha, goodDirection: 'increase' } as const;
  const estimate = { estimate: welch.diff, se: robust.se, n: t.n + c.n };
  return {
    welch,
    bonferroni: ok(
      bonferroniInterval({ estimate: welch.diff, se: welch.se, df: welch.df }, 6, alpha),
    ),
    fieller: ok(fiellerLift(t, c, alpha)),
    delta,
    log: ok(logLift(t, c, alpha)),
    absolute: ok(nonInferiorityAbsolute(t, c, { ...guardrail, margin: margins.absolute })),
    relative: ok(nonInferiorityRelative(t, c, { ...guardrail, margin: margins.relative })),
    robust,
    sequence: ok(confidenceSequence(estimate, SEQUENCE)),
    msprt: ok(msprt(welch.diff, welch.se, SETTINGS.mixingVariance, alpha)),
    bayes: ok(bayesNormal(delta.lift, delta.se, { prior })),
    bayesFlat: ok(bayesNormal(delta.lift, delta.se, { prior: null, inverse: true })),
  };
}

/** Means per pupil, zeros of the untested included. */
export function valuePerUser(trial: Trial) {
  const { pupils } = trial;
  const shifts = [value, isFree, isFemale].map((measure) => shiftOf(pupils, measure));
  const moments = (some: readonly Pupil[], ...measures: readonly Measure[]) =>
    momentsOf(some, measures, shifts);
  const sample = (arm: Arm): Sample => sampleOf(moments(armOf(trial, arm), value));
  const single = (arm: Arm): CupedArm => {
    const { n, meanY, varY, meanX, covX, covXY } = covariateArm(
      moments(armOf(trial, arm), value, isFree),
    );
    return {
      n,
      meanY,
      varY,
      meanX: meanX[0] ?? 0,
      varX: covX[0]?.[0] ?? 0,
      covXY: covXY[0] ?? 0,
    };
  };
  const double = (arm: Arm) => covariateArm(moments(armOf(trial, arm), value, isFree, isFemale));
  const strata = (arm: Arm, key: (pupil: Pupil) => string) =>
    [...groupBy(pupils, key).values()].map((stratum) => {
      const part = (of: Arm): Sample => {
        const some = stratum.filter((pupil) => pupil.arm === of);
        return some.length < 2
          ? { n: some.length, mean: some.map(value)[0] ?? 0, variance: 0 }
          : sampleOf(moments(some, value));
      };
      return { treatment: part(arm), control: part(CONTROL) };
    });
  return {
    ...perArm((arm) => ({ mean: ok(meanInterval(sample(arm), alpha)) })),
    versus: perTreatment((arm) => {
      const others = TREATMENTS.filter((other) => other !== arm);
      const [t, c] = [double(arm), double(CONTROL)];
      return {
        ...compareSamples(sample(arm), sample(CONTROL)),
        cuped: ok(cupedDifference(single(arm), single(CONTROL), alpha, others.map(single))),
        cupedMultiple: ok(cupedMultiple(t, c, alpha, others.map(double))),
        lin: ok(interactedDifference(t, c, alpha)),
        strataOfArea: ok(
          postStratifiedDifference(
            strata(arm, ({ area }) => area),
            alpha,
          ),
        ),
        strataOfSchool: ok(
          postStratifiedDifference(
            strata(arm, ({ school }) => school),
            alpha,
          ),
        ),
        looks: looks(trial, arm, shifts),
      };
    }),
    merged: perArm((arm) => {
      // School by school, then one after the other: what partial sums of a store add up to.
      const parts = [...groupBy(armOf(trial, arm), ({ school }) => school).values()];
      const { n, mean, products } = parts
        .map((part) => moments(part, value, isFree))
        .reduce(mergeJointMoments);
      return { n, mean, products };
    }),
  };
}

/** The trial as it would have been monitored. */
function looks({ pupils }: Trial, arm: Arm, shifts: readonly number[]) {
  const estimates = SETTINGS.looks.map((count) => {
    const seen = pupils.slice(0, count);
    const sample = (of: Arm): Sample =>
      sampleOf(
        momentsOf(
          seen.filter((pupil) => pupil.arm === of),
          [value],
          shifts,
        ),
      );
    const [t, c] = [sample(arm), sample(CONTROL)];
    return { estimate: t.mean - c.mean, se: ok(robustStandardError(t, c)).se, n: t.n + c.n };
  });
  return {
    sequence: ok(monitorSequence(estimates, SEQUENCE)),
    groupSequential: ok(
      monitorGroupSequential(
        estimates.map(({ n, ...look }) => ({ ...look, information: n })),
        {
          ...O_BRIEN_FLEMING,
          plannedInformation: SETTINGS.plannedUnits,
          isLastLookFinal: true,
        },
      ),
    ),
  };
}

/** Points per tested pupil, with all pupils as units. */
export function avgValue(trial: Trial) {
  const measures = [value, isTested, isFree, isLunchKnown];
  const shifts = measures.map((measure) => shiftOf(trial.pupils, measure));
  const sample = (arm: Arm): Sample =>
    ok(ratioOfMoments(momentsOf(armOf(trial, arm), [value, isTested], shifts))).sample;
  // The share of free lunches among the pupils of whom it is known is the ratio from before.
  const four = (arm: Arm) => cupedRatioArm(momentsOf(armOf(trial, arm), measures, shifts));
  return {
    ...perArm((arm) => ({ mean: ok(meanInterval(sample(arm), alpha)) })),
    versus: perTreatment((arm) => {
      const others = TREATMENTS.filter((other) => other !== arm).map(four);
      return {
        ...compareSamples(sample(arm), sample(CONTROL)),
        cuped: ok(cupedRatioDifference(four(arm), four(CONTROL), alpha, others)),
      };
    }),
  };
}
