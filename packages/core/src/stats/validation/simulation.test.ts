import { describe, expect, it } from 'vitest';
import { type Random, randomStream } from '../../../test/stats/random.ts';
import {
  binomialAcceptance,
  confidenceSequence,
  cupedDifference,
  groupSequentialBoundary,
  isReleasable,
  ksUniform,
  momentsFromSums,
  normalIsf,
  ratioSample,
  robustStandardError,
  type Sample,
  scoreDifference,
  sequentialSrm,
  varianceOf,
  welchDifference,
} from '../index.ts';

// Experiments in which nothing happens, with seeds: how often the methods find something.

const ALPHA = 0.05;
const FALSE_ALARM = 0.001;

/** The number of rejections is as expected of the level, and no larger where one side is asked. */
function expectRate(rejections: number, simulations: number, isOneSided = false): void {
  const band = binomialAcceptance(simulations, ALPHA, FALSE_ALARM);
  if (band.status !== 'ok') throw new Error(band.status);
  expect(rejections).toBeLessThanOrEqual(band.upperCount);
  if (!isOneSided) expect(rejections).toBeGreaterThanOrEqual(band.lowerCount);
}

function sampleOf(n: number, draw: () => number): Sample {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    const value = draw();
    sum += value;
    squares += value * value;
  }
  const moments = momentsFromSums(n, sum, squares);
  return { n, mean: moments.mean, variance: varianceOf(moments) };
}

const binomial = (random: Random, n: number, p: number): number => {
  let x = 0;
  for (let i = 0; i < n; i++) if (random.uniform() < p) x++;
  return x;
};

const simulate = (count: number, experiment: () => number): readonly number[] =>
  Array.from({ length: count }, experiment);

const rejected = (pValues: readonly number[]): number => pValues.filter((p) => p < ALPHA).length;

describe('A/A experiments', () => {
  it.each([
    ['normal, 50 against 50', 50, 50],
    ['normal, 20 against 200', 20, 200],
  ])('of means: %s', (_, nT, nC) => {
    const random = randomStream(nT);
    const pValues = simulate(3000, () => {
      const test = welchDifference(sampleOf(nT, random.normal), sampleOf(nC, random.normal), ALPHA);
      return test.status === 'ok' ? test.pValue : Number.NaN;
    });
    expectRate(rejected(pValues), pValues.length);
    const uniform = ksUniform(pValues);
    expect(uniform.status === 'ok' && uniform.pValue > FALSE_ALARM).toBe(true);
  });

  it.each([0.5, 0.05, 0.005])('of rates by the score test: %d', (p) => {
    const random = randomStream(Math.round(p * 1000));
    const pValues = simulate(2000, () => {
      const [t, c] = [binomial(random, 400, p), binomial(random, 400, p)];
      const test = scoreDifference({ x: t, n: 400 }, { x: c, n: 400 }, ALPHA);
      return test.status === 'ok' ? test.pValue : Number.NaN;
    });
    // So few successes make the score test cautious.
    expectRate(rejected(pValues), pValues.length, p < 0.05);
  });

  it('with CUPED', () => {
    const random = randomStream(21);
    const arm = () => {
      const n = 200;
      const rows = Array.from({ length: n }, () => {
        const x = random.normal();
        return [0.8 * x + 0.6 * random.normal(), x] as const;
      });
      const mean = (f: (row: readonly [number, number]) => number): number =>
        rows.reduce((sum, row) => sum + f(row), 0) / n;
      const [meanY, meanX] = [mean(([y]) => y), mean(([, x]) => x)];
      const scale = n / (n - 1);
      return {
        n,
        meanY,
        meanX,
        varY: scale * mean(([y]) => (y - meanY) ** 2),
        varX: scale * mean(([, x]) => (x - meanX) ** 2),
        covXY: scale * mean(([y, x]) => (y - meanY) * (x - meanX)),
      };
    };
    const pValues = simulate(2000, () => {
      const test = cupedDifference(arm(), arm(), ALPHA);
      return test.status === 'ok' ? test.pValue : Number.NaN;
    });
    expectRate(rejected(pValues), pValues.length);
  });

  it('of ratios, where the units of analysis are correlated', () => {
    const random = randomStream(8);
    const arm = () => {
      let [y, d, yy, dd, yd] = [0, 0, 0, 0, 0];
      for (let i = 0; i < 300; i++) {
        const visits = 1 + Math.floor(6 * random.uniform());
        // A rate of the user's own: clicks of one user belong together.
        const clicks = visits * random.uniform();
        y += clicks;
        d += visits;
        yy += clicks * clicks;
        dd += visits * visits;
        yd += clicks * visits;
      }
      const sample = ratioSample({
        n: 300,
        sumNumerator: y,
        sumDenominator: d,
        sumNumeratorSquares: yy,
        sumDenominatorSquares: dd,
        sumProduct: yd,
      });
      if (sample.status !== 'ok') throw new Error(sample.status);
      return sample.sample;
    };
    const pValues = simulate(2000, () => {
      const test = welchDifference(arm(), arm(), ALPHA);
      return test.status === 'ok' ? test.pValue : Number.NaN;
    });
    expectRate(rejected(pValues), pValues.length);
  });
});

describe('A/A experiments that are looked at again and again', () => {
  const LOOKS = 100;
  const UNITS_PER_LOOK = 200;

  /** Whether a confidence sequence ever rejects a rate of 2 % in arms of 95 and 5 per cent. */
  function everRejects(random: Random, isGuarded: boolean): boolean {
    const share = 0.05;
    const arms = [
      { n: 0, x: 0 },
      { n: 0, x: 0 },
    ] as const;
    const counts = arms.map((arm) => ({ ...arm }));
    for (let look = 0; look < LOOKS; look++) {
      for (let i = 0; i < UNITS_PER_LOOK; i++) {
        const arm = counts[random.uniform() < share ? 0 : 1];
        if (arm === undefined) continue;
        arm.n++;
        if (random.uniform() < 0.02) arm.x++;
      }
      const [t, c] = counts;
      if (t === undefined || c === undefined || t.n < 2 || c.n < 2) continue;
      if (isGuarded && !isReleasable([t, c])) continue;
      const toSample = ({ n, x }: { n: number; x: number }): Sample => ({
        n,
        mean: x / n,
        variance: ((x / n) * (1 - x / n) * n) / (n - 1),
      });
      const error = robustStandardError(toSample(t), toSample(c));
      if (error.status !== 'ok') continue;
      const sequence = confidenceSequence(
        {
          estimate: t.x / t.n - c.x / c.n,
          se: isGuarded ? error.se : error.welchSe,
          n: t.n + c.n,
        },
        { alpha: ALPHA, tuningN: 5000 },
      );
      if (sequence.status === 'ok' && sequence.pValue < ALPHA) return true;
    }
    return false;
  }

  const share = (isGuarded: boolean): number => {
    const random = randomStream(5);
    let count = 0;
    for (let i = 0; i < 300; i++) if (everRejects(random, isGuarded)) count++;
    return count;
  };

  it('keep their level with the guard, and would not without it', () => {
    expectRate(share(true), 300, true);
    // The band of the level ends at 28 of 300; the bare standard error goes far beyond.
    expect(share(false)).toBeGreaterThan(40);
  }, 60_000);

  it('keep their level in a group sequential test with unequal looks', () => {
    const fractions = [0.07, 0.1, 0.35, 0.6, 0.62, 0.9, 1];
    const boundary = groupSequentialBoundary(fractions, {
      alpha: ALPHA,
      sided: 2,
      spending: { type: 'pocock' },
    });
    if (boundary.status !== 'ok') throw new Error(boundary.status);
    const random = randomStream(13);
    let [rejections, naive] = [0, 0];
    for (let i = 0; i < 10_000; i++) {
      let [motion, time] = [0, 0];
      const z = fractions.map((t) => {
        motion += Math.sqrt(t - time) * random.normal();
        time = t;
        return Math.abs(motion / Math.sqrt(t));
      });
      if (z.some((value, k) => value >= (boundary.criticalZ[k] ?? 0))) rejections++;
      if (z.some((value) => value >= normalIsf(ALPHA / 2))) naive++;
    }
    expectRate(rejections, 10_000);
    expect(naive).toBeGreaterThan(1200);
  });

  it('keep the level of the sequential test of the split', () => {
    const random = randomStream(17);
    let alarms = 0;
    for (let i = 0; i < 300; i++) {
      const counts = [0, 0, 0];
      const looks = Array.from({ length: 60 }, () => {
        for (let unit = 0; unit < 100; unit++) {
          const arm = Math.floor(3 * random.uniform());
          counts[arm] = (counts[arm] ?? 0) + 1;
        }
        return [...counts];
      });
      const test = sequentialSrm(looks, [1, 1, 1], 1000);
      if (test.status === 'ok' && (test.pValue.at(-1) ?? 1) < ALPHA) alarms++;
    }
    expectRate(alarms, 300, true);
  });
});
