import {
  binomialExact,
  chiSquareSrm,
  fisherTest,
  logRateLift,
  newcombeDifference,
  nonInferiorityProportion,
  poissonRateRatio,
  scoreDifference,
  scoreLift,
  srmTest,
  varyingWeightsSrm,
  zDifference,
} from '../src/stats/index.ts';
import type { Random } from '../test/stats/random.ts';
import { covers, pOf } from './comparisons.ts';
import { aliasSampler, binomialDraw, multinomialDraw, poissonLaw } from './samplers.ts';
import { ALPHA, atMost, exactly, type Study } from './study.ts';

// §9.3 for the other methods on counts: rates, event rates, splits.

const SECTION = '9.3';
const SIMULATIONS = 10_000;
const EXACT_IS_CAUTIOUS = 'exact tests of counts are cautious (§1.4)';

/** Every test of two rates on the same arms. */
const rates: Study = {
  section: SECTION,
  name: 'other tests of rates, 0.1, n 2000',
  simulations: SIMULATIONS,
  figures: [
    { name: 'z', expectation: exactly(ALPHA) },
    { name: 'Newcombe excludes 0', expectation: exactly(ALPHA) },
    { name: 'score lift excludes 0', expectation: exactly(ALPHA) },
    { name: 'log lift excludes 0', expectation: exactly(ALPHA) },
    { name: 'Fisher', expectation: atMost(ALPHA, EXACT_IS_CAUTIOUS) },
    {
      name: 'Fisher mid-p',
      expectation: atMost(ALPHA, EXACT_IS_CAUTIOUS),
    },
  ],
  prepare: () => (random) => {
    const n = 2000;
    const [t, c] = [binomialDraw(random, n, 0.1), binomialDraw(random, n, 0.1)];
    const arms = [{ x: t, n }, { x: c, n }, ALPHA] as const;
    const lift = scoreLift(...arms);
    const log = logRateLift(...arms);
    const fisher = fisherTest(arms[0], arms[1]);
    if (lift.status !== 'ok' || log.status !== 'ok' || fisher.status !== 'ok') return [];
    return [
      pOf(zDifference(...arms)),
      !covers(newcombeDifference(...arms), 0),
      lift.liftLower > 0 || lift.liftUpper < 0,
      (log.liftLower ?? 0) > 0 || (log.liftUpper ?? 0) < 0,
      fisher.pValue,
      fisher.midPValue,
    ];
  },
};

const guardrail: Study = {
  section: SECTION,
  name: 'guardrail at its margin, rate 0.1, n 5000',
  simulations: SIMULATIONS,
  figures: [{ name: 'Farrington–Manning, one-sided', expectation: exactly(ALPHA) }],
  prepare: () => (random) => {
    const [n, margin] = [5000, 0.02];
    const test = nonInferiorityProportion(
      { x: binomialDraw(random, n, 0.1 - margin), n },
      { x: binomialDraw(random, n, 0.1), n },
      { goodDirection: 'increase', margin, alpha: ALPHA },
    );
    return [pOf(test)];
  },
};

/** Events without users, in 40 and 60 per cent of the time. */
const events: Study = {
  section: SECTION,
  name: 'Poisson events, 40 and 60 expected',
  simulations: SIMULATIONS,
  figures: [
    {
      name: 'exact rate ratio',
      expectation: atMost(ALPHA, 'twice an exact tail is cautious (§2.4)'),
    },
  ],
  prepare: () => {
    const [treatment, control] = [aliasSampler(poissonLaw(40)), aliasSampler(poissonLaw(60))];
    return (random) => [
      pOf(
        poissonRateRatio(
          { events: treatment(random), exposure: 2 },
          { events: control(random), exposure: 3 },
          ALPHA,
        ),
      ),
    ];
  },
};

const WEIGHTS = [5, 3, 2] as const;
const SHARES = WEIGHTS.map((weight) => weight / 10);
const RAMP = [
  { users: 4000, shares: [0.9, 0.08, 0.02] },
  { users: 6000, shares: [0.5, 0.3, 0.2] },
] as const;

const splits: Study = {
  section: SECTION,
  name: 'sample ratio, three arms of 50/30/20',
  simulations: SIMULATIONS,
  figures: [
    { name: 'χ², 10,000 users', expectation: exactly(ALPHA) },
    { name: 'χ² alarm, 10,000 users', expectation: exactly(0.001) },
    { name: 'varying weights', expectation: exactly(ALPHA) },
    {
      name: 'exact binomial, 40 users',
      expectation: atMost(ALPHA, 'an exact test of few users is cautious (§6.1)'),
    },
  ],
  prepare: () => (random) => {
    const counts = multinomialDraw(random, 10_000, SHARES);
    const alarm = srmTest(counts, WEIGHTS);
    const periods = RAMP.map(({ users, shares }) => ({
      counts: multinomialDraw(random, users, shares),
      weights: shares,
    }));
    return [
      pOf(chiSquareSrm(counts, WEIGHTS)),
      alarm.status === 'ok' && alarm.level === 'alarm',
      pOf(varyingWeightsSrm(periods)),
      pOf(binomialExact(binomialDraw(random, 40, 0.1), 40, 0.1)),
    ];
  },
};

/** Arms with so few successes that tests of them are cautious. */
const rareRates = (n: number, p: number): Study => ({
  section: SECTION,
  name: `few successes: ${n * p} expected per arm`,
  simulations: SIMULATIONS,
  figures: [
    {
      name: 'score',
      expectation: atMost(ALPHA, 'with few successes the score test is cautious (§1.4)'),
    },
    {
      name: 'Fisher mid-p',
      expectation: atMost(ALPHA, EXACT_IS_CAUTIOUS),
    },
  ],
  prepare: () => (random: Random) => {
    const t = { x: binomialDraw(random, n, p), n };
    const c = { x: binomialDraw(random, n, p), n };
    const fisher = fisherTest(t, c);
    return [
      pOf(scoreDifference(t, c, ALPHA)),
      fisher.status === 'ok' ? fisher.midPValue : Number.NaN,
    ];
  },
});

export const NULL_RATES: readonly Study[] = [
  rates,
  rareRates(400, 0.01),
  guardrail,
  events,
  splits,
];
