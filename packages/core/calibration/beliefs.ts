import {
  bayesNormal,
  betaBinomial,
  betaCredibleInterval,
  deltaLift,
  LIFT_PRIOR,
  normalCdf,
  probBestBeta,
  probBestNormal,
} from '../src/stats/index.ts';
import type { Random } from '../test/stats/random.ts';
import { covers, samplesOf } from './comparisons.ts';
import { bernoulli } from './populations.ts';
import { binomialDraw } from './samplers.ts';
import { ALPHA, between, exactly, type Figure, type Study } from './study.ts';

// §9.4, Bayesian: with effects drawn from the prior, what is said with 95 % is true in 95 %.

const SECTION = '9.4';
const CREDIBILITY = 1 - ALPHA;
const PRIOR_SD = Math.sqrt(LIFT_PRIOR.variance);

const interval = (name: string): Figure => ({ name, expectation: exactly(CREDIBILITY) });
const stated = (name: string): Figure => ({
  name,
  expectation: exactly(ALPHA),
  isUniform: true,
});

/** Uniform exactly when events come true as often as their stated chances say. */
const calibrated = (random: Random, chance: number, isTrue: boolean): number =>
  isTrue ? chance * random.uniform() : chance + (1 - chance) * random.uniform();

const estimates: Study = {
  section: SECTION,
  name: 'lift from the prior, normal estimate',
  simulations: 10_000,
  figures: [interval('interval'), stated('distribution'), stated('chance to win')],
  prepare: () => (random) => {
    const lift = LIFT_PRIOR.mean + PRIOR_SD * random.normal();
    // Errors from a tenth of the prior's deviation to ten times it.
    const se = PRIOR_SD * 10 ** (2 * random.uniform() - 1);
    const belief = bayesNormal(lift + se * random.normal(), se, { prior: LIFT_PRIOR });
    if (belief.status !== 'ok') return [];
    return [
      covers(belief, lift),
      normalCdf((lift - belief.posteriorMean) / belief.posteriorSd),
      calibrated(random, belief.chanceToWin, lift > 0),
    ];
  },
};

const rates: Study = {
  section: SECTION,
  name: 'lift from the prior, rates about 0.1, n 5000',
  simulations: 10_000,
  figures: [
    {
      name: 'interval',
      expectation: between(0.94, 0.96, 'the delta method makes a lift of rates nearly normal'),
    },
  ],
  prepare: () => (random) => {
    const [n, base] = [5000, 0.1];
    let lift = -1;
    while (lift <= -1) lift = LIFT_PRIOR.mean + PRIOR_SD * random.normal();
    const control = bernoulli(base);
    const estimate = deltaLift(
      ...samplesOf(control, {
        treatment: bernoulli(base * (1 + lift), base).draw(random, n),
        control: control.draw(random, n),
      }),
      ALPHA,
    );
    if (estimate.status !== 'ok') return [false];
    return [covers(bayesNormal(estimate.lift, estimate.se, { prior: LIFT_PRIOR }), lift)];
  },
};

const betas: Study = {
  section: SECTION,
  name: 'rates from the uniform prior, n 40 and 60',
  simulations: 1000,
  figures: [
    interval('difference'),
    interval('lift'),
    interval('rate of one arm'),
    stated('chance to win'),
  ],
  prepare: () => (random) => {
    const [pT, pC] = [random.uniform(), random.uniform()];
    const treatment = { x: binomialDraw(random, 40, pT), n: 40 };
    const control = { x: binomialDraw(random, 60, pC), n: 60 };
    const effect = betaCredibleInterval(treatment, control);
    const belief = betaBinomial(treatment, control);
    if (effect.status !== 'ok' || belief.status !== 'ok') return [];
    const lift = pT / pC - 1;
    return [
      effect.diffLower <= pT - pC && pT - pC <= effect.diffUpper,
      effect.liftLower <= lift && lift <= effect.liftUpper,
      belief.treatmentLower <= pT && pT <= belief.treatmentUpper,
      calibrated(random, belief.probTreatmentBeatsControl, pT > pC),
    ];
  },
};

/** The arm that is most likely the best, and how likely. */
function leader(chances: readonly number[]): { readonly arm: number; readonly chance: number } {
  const chance = Math.max(...chances);
  return { arm: chances.indexOf(chance), chance };
}

const many: Study = {
  section: SECTION,
  name: 'five arms from the prior',
  simulations: 1000,
  figures: [stated('best of normal means'), stated('best of rates')],
  prepare: () => {
    const arms = Array.from({ length: 5 });
    const best = (values: readonly number[]): number => values.indexOf(Math.max(...values));
    return (random) => {
      const means = arms.map(() => random.normal());
      const posteriors = means.map((mean) => {
        const variance = 0.04 / random.uniform();
        const weight = 1 / (1 + variance);
        const estimate = mean + Math.sqrt(variance) * random.normal();
        return { mean: weight * estimate, sd: Math.sqrt(weight * variance) };
      });
      const rates = arms.map(() => random.uniform());
      const counts = rates.map((p) => ({ x: binomialDraw(random, 50, p), n: 50 }));
      const [normal, beta] = [
        probBestNormal(
          posteriors.map(({ mean }) => mean),
          posteriors.map(({ sd }) => sd),
        ),
        probBestBeta(counts),
      ];
      if (normal.status !== 'ok' || beta.status !== 'ok') return [];
      return [[normal, means] as const, [beta, rates] as const].map(([{ probBest }, truth]) => {
        const { arm, chance } = leader(probBest);
        return calibrated(random, chance, arm === best(truth));
      });
    };
  },
};

export const BELIEFS: readonly Study[] = [estimates, rates, betas, many];
