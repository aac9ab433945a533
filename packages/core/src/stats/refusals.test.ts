import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as stats from './index.ts';

// What may come from a store or a form and cannot be computed: every method says so, and none
// answers with a number that is none. Levels and arms without units are in questions/questions.test.ts.

const NAN = Number.NaN;
const INFINITY = Number.POSITIVE_INFINITY;

const BAD_COUNTS = [-1, 0.5, NAN, INFINITY, 2 ** 60];
const fine = { n: 100, mean: 5, variance: 4 };
const rate = { x: 5, n: 100 };
const normal = { prior: null };

/** Nothing that is returned as computed may hide a number that is none. */
function holdsNaN(found: unknown): boolean {
  if (typeof found === 'number') return Number.isNaN(found);
  if (typeof found !== 'object' || found === null) return false;
  return Object.values(found).some(holdsNaN);
}

type TwoSamples = (t: stats.Sample, c: stats.Sample, alpha: number) => { readonly status: string };
type TwoRates = (
  t: stats.Proportion,
  c: stats.Proportion,
  alpha: number,
) => { readonly status: string };

const plan = (alpha: number) => ({ margin: 0.1, goodDirection: 'increase', alpha }) as const;

const SAMPLES: Readonly<Record<string, TwoSamples>> = {
  welchDifference: stats.welchDifference,
  fiellerLift: stats.fiellerLift,
  deltaLift: stats.deltaLift,
  logLift: stats.logLift,
  nonInferiorityAbsolute: (t, c, alpha) => stats.nonInferiorityAbsolute(t, c, plan(alpha)),
  nonInferiorityRelative: (t, c, alpha) => stats.nonInferiorityRelative(t, c, plan(alpha)),
  postStratifiedDifference: (treatment, control, alpha) =>
    stats.postStratifiedDifference([{ treatment, control }], alpha),
  cupedDifference: (t, c, alpha) => {
    const arm = ({ n, mean, variance }: stats.Sample) => ({
      n,
      meanY: mean,
      varY: variance,
      meanX: 1,
      varX: 1,
      covXY: variance > 0 ? 0.1 * Math.sqrt(variance) : 0,
    });
    return stats.cupedDifference(arm(t), arm(c), alpha);
  },
};

const RATES: Readonly<Record<string, TwoRates>> = {
  scoreDifference: stats.scoreDifference,
  scoreLift: stats.scoreLift,
  newcombeDifference: stats.newcombeDifference,
  zDifference: stats.zDifference,
  logRateLift: stats.logRateLift,
  wilsonInterval: (t, c, alpha) => {
    const first = stats.wilsonInterval(t, alpha);
    return first.status === 'ok' ? stats.wilsonInterval(c, alpha) : first;
  },
  clopperPearsonInterval: (t, c, alpha) => {
    const first = stats.clopperPearsonInterval(t, alpha);
    return first.status === 'ok' ? stats.clopperPearsonInterval(c, alpha) : first;
  },
  nonInferiorityProportion: (t, c, alpha) => stats.nonInferiorityProportion(t, c, plan(alpha)),
};

describe.each(Object.entries(SAMPLES))('%s', (_, method) => {
  it('refuses numbers that cannot be', () => {
    for (const n of BAD_COUNTS) {
      expect(method({ ...fine, n }, fine, 0.05)).toEqual({ status: 'INVALID_INPUT' });
      expect(method(fine, { ...fine, n }, 0.05)).toEqual({ status: 'INVALID_INPUT' });
    }
    for (const bad of [{ mean: NAN }, { mean: INFINITY }, { variance: -1 }, { variance: NAN }]) {
      expect(method({ ...fine, ...bad }, fine, 0.05)).toEqual({ status: 'INVALID_INPUT' });
    }
  });

  it('refuses arms that are single or constant', () => {
    expect(method(fine, { ...fine, n: 1 }, 0.05)).toMatchObject({ status: 'INSUFFICIENT_UNITS' });
    const constant = { ...fine, variance: 0 };
    expect(method(constant, constant, 0.05)).toMatchObject({ status: 'ZERO_VARIANCE' });
    expect(method(constant, fine, 0.05)).toMatchObject({ status: 'ok' });
  });

  it('computes with a billion units, tiny and huge values', () => {
    for (const scale of [1e-12, 1, 1e12]) {
      const arm = (mean: number): stats.Sample => ({
        n: 1_000_000_000,
        mean: mean * scale,
        variance: scale * scale,
      });
      for (const [t, c] of [
        [1, 1],
        [2, 1],
        [-1, 1],
        [1, -1],
      ] as const) {
        const outcome = method(arm(t), arm(c), 0.05);
        expect(outcome.status).toBe('ok');
        expect(holdsNaN(outcome)).toBe(false);
      }
    }
  });
});

describe.each(Object.entries(RATES))('%s', (_, method) => {
  it('refuses numbers that cannot be', () => {
    for (const n of BAD_COUNTS) {
      expect(method({ x: 0, n }, rate, 0.05)).toEqual({ status: 'INVALID_INPUT' });
      expect(method(rate, { x: n, n: 100 }, 0.05)).toEqual({ status: 'INVALID_INPUT' });
    }
    expect(method({ x: 101, n: 100 }, rate, 0.05)).toEqual({ status: 'INVALID_INPUT' });
  });

  it('answers or refuses for none, all, one unit and a billion, without a number that is none', () => {
    const arms = [1, 2, 100, 1_000_000_000].flatMap((n) => [
      { x: 0, n },
      { x: 1, n },
      { x: n, n },
    ]);
    for (const t of arms) {
      for (const c of arms) expect(holdsNaN(method(t, c, 0.05))).toBe(false);
    }
  });
});

describe('single numbers', () => {
  it('are refused when they cannot be', () => {
    const options = { alpha: 0.05, tuningN: 5000 };
    const design = { alpha: 0.05, sided: 2, spending: { type: 'power', param: -1 } } as const;
    const invalid: readonly { readonly status: string }[] = [
      stats.confidenceSequence({ estimate: NAN, se: 1, n: 10 }, options),
      stats.confidenceSequence({ estimate: 0, se: -1, n: 10 }, options),
      stats.confidenceSequence({ estimate: 0, se: 1, n: 10 }, { ...options, tuningN: 0 }),
      stats.confidenceSequence({ estimate: 0, se: 1, n: 10 }, { ...options, alpha: 0.6, sided: 1 }),
      stats.tuneRho(0, 10),
      stats.nonInferiorityRelative(fine, fine, plan(0)),
      stats.nonInferiorityProportion(rate, rate, plan(1)),
      stats.msprt(0, 1, 0, 0.05),
      stats.anytimeValidT({ t: NAN, df: 1, n: 1 }, 1, 0.05),
      stats.groupSequentialBoundary([0.5, 1], design),
      stats.groupSequentialBoundary([0.5, 0.5], { ...design, spending: { type: 'pocock' } }),
      stats.groupSequentialBoundary([], { ...design, spending: { type: 'pocock' } }),
      stats.groupSequentialDesign(0, { ...design, spending: { type: 'pocock' }, power: 0.8 }),
      stats.bayesNormal(NAN, 1, normal),
      stats.bayesNormal(0, 1, { prior: { mean: 0, variance: 0 } }),
      stats.betaBinomial(rate, rate, { alpha: 0, beta: 1 }),
      stats.betaCredibleInterval({ x: 2, n: 1 }, rate),
      stats.probBestNormal([1], [1]),
      stats.probBestBeta([rate]),
      stats.fisherTest({ x: -1, n: 1 }, rate),
      stats.poissonRateRatio({ events: 1, exposure: 0 }, { events: 1, exposure: 1 }, 0.05),
      stats.orderStatisticRanks(10, 0, 0.05),
      stats.winsorizeUpper([[1, NAN]], 0.9),
      stats.winsorizeUpper([[1]], 0),
      stats.binomialExact(3, 2, 0.5),
      stats.bonferroniInterval({ estimate: 1, se: 1, df: 0 }, 1, 0.05),
      stats.bonferroniInterval({ estimate: 1, se: 1, df: 5 }, 0, 0.05),
      stats.naivePeeking(0, 0.05),
      stats.binomialAcceptance(10, 0.5, 0),
      stats.ksUniform([0.5, 1.5]),
      stats.meanPower({ nPerArm: 10, standardizedEffect: NAN, alpha: 0.05 }),
      stats.guardrailPower(-1, 0.8),
      stats.sequentialSrm([[1, 2]], [0, 0]),
      stats.ratioSample({
        n: 5,
        sumNumerator: NAN,
        sumDenominator: 1,
        sumNumeratorSquares: 1,
        sumDenominatorSquares: 1,
        sumProduct: 1,
      }),
    ];
    expect(invalid.map(({ status }) => status)).toEqual(invalid.map(() => 'INVALID_INPUT'));
  });

  it('without variance or units are refused as such', () => {
    const options = { alpha: 0.05, tuningN: 5000 };
    expect(stats.confidenceSequence({ estimate: 0, se: 0, n: 9 }, options).status).toBe(
      'ZERO_VARIANCE',
    );
    expect(stats.confidenceSequence({ estimate: 0, se: 1, n: 0 }, options).status).toBe('NO_UNITS');
    expect(stats.msprt(0, 0, 1, 0.05).status).toBe('ZERO_VARIANCE');
    expect(stats.bayesNormal(0, 0, normal).status).toBe('ZERO_VARIANCE');
    expect(stats.probBestNormal([1, 2], [0, 1]).status).toBe('ZERO_VARIANCE');
    expect(stats.meanInterval({ n: 9, mean: 1, variance: 0 }, 0.05)).toEqual({
      status: 'ZERO_VARIANCE',
      estimate: 1,
    });
    expect(stats.meanInterval({ n: 1, mean: 1, variance: 0 }, 0.05)).toEqual({
      status: 'INSUFFICIENT_UNITS',
      estimate: 1,
    });
    expect(stats.ksUniform([]).status).toBe('NO_UNITS');
    expect(stats.binomialExact(0, 0, 0.5).status).toBe('NO_UNITS');
    expect(stats.fisherTest({ x: 0, n: 0 }, rate).status).toBe('NO_UNITS');
    expect(stats.winsorizeUpper([[], []], 0.9).status).toBe('NO_UNITS');
  });
});

describe('distributions', () => {
  it('never answer with a number that is none, however far out', () => {
    const x = fc.oneof(
      fc.double({ min: -60, max: 60, noNaN: true }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    const df = fc.integer({ min: -10, max: 120 }).map((k) => 10 ** (k / 10));
    fc.assert(
      fc.property(x, df, df, fc.double({ min: 0, max: 1, noNaN: true }), (t, a, b, p) => {
        const found = {
          t: stats.tSf(t, a),
          logT: stats.tLogSf(t, a),
          quantileT: stats.tIsf(p, a),
          normal: stats.normalSf(t),
          logNormal: stats.normalLogSf(t),
          loss: stats.normalLoss(t),
          chiSquare: stats.chiSquareSf(Math.abs(t), Math.min(a, 1e6)),
          beta: stats.betaCdf(p, Math.min(a, 1e9), Math.min(b, 1e9)),
          logBeta: stats.betaLogSf(p, Math.min(a, 1e9), Math.min(b, 1e9)),
        };
        return !holdsNaN(found);
      }),
      { numRuns: 1000 },
    );
  });
});
