import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { value } from '../../../test/stats/arbitraries.ts';
import {
  betaCdf,
  betaIsf,
  betaLogCdf,
  betaLogSf,
  betaQuantile,
  betaSf,
  binomialCdf,
  binomialIsf,
  binomialLogCdf,
  binomialLogSf,
  binomialPmf,
  binomialQuantile,
  binomialSf,
  chiSquareCdf,
  chiSquareIsf,
  chiSquareLogCdf,
  chiSquareLogSf,
  chiSquareQuantile,
  chiSquareSf,
  lambertWm1,
  logGamma,
  nonCentralTCdf,
  nonCentralTIsf,
  nonCentralTLogCdf,
  nonCentralTLogSf,
  nonCentralTQuantile,
  nonCentralTSf,
  normalCdf,
  normalIsf,
  normalLogCdf,
  normalLogSf,
  normalLoss,
  normalPdf,
  normalQuantile,
  normalSf,
  tCdf,
  tIsf,
  tLogCdf,
  tLogSf,
  tQuantile,
  tSf,
} from '../index.ts';

const relative = (a: number, b: number): number => Math.abs(a - b) / Math.abs(b);
const small = value(-10, 0).map((exponent) => 10 ** exponent);
/** Probabilities down to 1e-290. */
const probability = value(-290, -0.31).map((exponent) => 10 ** exponent);

/** A distribution as functions of one argument. */
interface Law {
  readonly cdf: (x: number) => number;
  readonly sf: (x: number) => number;
  readonly quantile: (p: number) => number;
  readonly isf: (q: number) => number;
  /** Relative change of the tail with a relative change of x, which is rounded. */
  readonly steepness: (x: number) => number;
}

const tLaw = (df: number): Law => ({
  cdf: (x) => tCdf(x, df),
  sf: (x) => tSf(x, df),
  quantile: (p) => tQuantile(p, df),
  isf: (q) => tIsf(q, df),
  steepness: () => Math.min(df, 2000),
});
const betaLaw = (a: number, b: number): Law => ({
  cdf: (x) => betaCdf(x, a, b),
  sf: (x) => betaSf(x, a, b),
  quantile: (p) => betaQuantile(p, a, b),
  isf: (q) => betaIsf(q, a, b),
  steepness: (x) => b / (1 - x) + a,
});
const chiSquareLaw = (df: number): Law => ({
  cdf: (x) => chiSquareCdf(x, df),
  sf: (x) => chiSquareSf(x, df),
  quantile: (p) => chiSquareQuantile(p, df),
  isf: (q) => chiSquareIsf(q, df),
  steepness: (x) => x,
});
const nonCentralTLaw = (df: number, ncp: number): Law => ({
  cdf: (x) => nonCentralTCdf(x, df, ncp),
  sf: (x) => nonCentralTSf(x, df, ncp),
  quantile: (p) => nonCentralTQuantile(p, df, ncp),
  isf: (q) => nonCentralTIsf(q, df, ncp),
  steepness: () => Math.min(df, 2000),
});

const LAWS: readonly (readonly [string, Law])[] = [
  [
    'normal',
    {
      cdf: normalCdf,
      sf: normalSf,
      quantile: normalQuantile,
      isf: normalIsf,
      steepness: (x: number) => x * x,
    },
  ],
  ['t, 3 df', tLaw(3)],
  ['t, 40.5 df', tLaw(40.5)],
  ['t, 600.5 df', tLaw(600.5)],
  ['t, 1e5 df', tLaw(1e5)],
  ['t, 1e8 df', tLaw(1e8)],
  ['beta, 2 and 30', betaLaw(2, 30)],
  ['beta, 1e5 and 9e5', betaLaw(1e5, 9e5)],
  ['beta, 4 and 1e9', betaLaw(4, 1e9)],
  ['chi-square, 1 df', chiSquareLaw(1)],
  ['chi-square, 30 df', chiSquareLaw(30)],
  ['noncentral t, 5 df about 2', nonCentralTLaw(5, 2)],
  ['noncentral t, 98 df about −3', nonCentralTLaw(98, -3)],
];

describe.each(LAWS)('the %s distribution', (_, law) => {
  it('has an upper quantile whose tail is the one asked for', () => {
    fc.assert(
      fc.property(probability, (q) => {
        const x = law.isf(q);
        // Where the tail ends at a number like 1 there may be no room for the quantile.
        fc.pre(law.sf(x) > 0);
        expect(relative(law.sf(x), q)).toBeLessThan(1e-9 + law.steepness(x) * 1e-15);
      }),
      { numRuns: 40 },
    );
  });

  it('has a lower quantile likewise', () => {
    fc.assert(
      fc.property(fc.oneof(value(1e-10, 0.9999), small), (p) => {
        expect(relative(law.cdf(law.quantile(p)), p)).toBeLessThan(1e-8);
      }),
      { numRuns: 40 },
    );
  });

  it('has tails that add up to one', () => {
    for (const p of [0.001, 0.2, 0.5, 0.8, 0.999]) {
      const x = law.quantile(p);
      expect(law.cdf(x) + law.sf(x)).toBeCloseTo(1, 14);
      expect(law.isf(1 - p) - x).toBeLessThan(1e-9 * Math.abs(x) + 1e-12);
    }
  });
});

describe('logarithms of tails', () => {
  it('agree with the tails, and go on where those are zero', () => {
    for (const x of [-3, -0.5, 0, 1, 6]) {
      expect(normalLogSf(x)).toBeCloseTo(Math.log(normalSf(x)), 12);
      expect(normalLogCdf(x)).toBeCloseTo(Math.log(normalCdf(x)), 12);
      expect(tLogSf(x, 7)).toBeCloseTo(Math.log(tSf(x, 7)), 12);
      expect(tLogCdf(x, 7)).toBeCloseTo(Math.log(tCdf(x, 7)), 12);
    }
    for (const x of [0.01, 0.2, 0.9]) {
      expect(betaLogSf(x, 3, 9)).toBeCloseTo(Math.log(betaSf(x, 3, 9)), 12);
      expect(betaLogCdf(x, 3, 9)).toBeCloseTo(Math.log(betaCdf(x, 3, 9)), 12);
    }
    for (const x of [0.01, 4, 60]) {
      expect(chiSquareLogSf(x, 7)).toBeCloseTo(Math.log(chiSquareSf(x, 7)), 12);
      expect(chiSquareLogCdf(x, 7)).toBeCloseTo(Math.log(chiSquareCdf(x, 7)), 12);
    }
    for (const k of [-1, 0, 3, 12, 25]) {
      expect(Math.exp(binomialLogSf(k, 25, 0.3))).toBeCloseTo(binomialSf(k, 25, 0.3), 13);
      expect(Math.exp(binomialLogCdf(k, 25, 0.3))).toBeCloseTo(binomialCdf(k, 25, 0.3), 13);
    }
    for (const x of [-3, 0, 2, 9]) {
      expect(nonCentralTLogSf(x, 7, 1)).toBeCloseTo(Math.log(nonCentralTSf(x, 7, 1)), 12);
      expect(nonCentralTLogCdf(x, 7, 1)).toBeCloseTo(Math.log(nonCentralTCdf(x, 7, 1)), 12);
    }
    // −x²/2 − ln(x√2π) − 1/x²
    expect(normalLogSf(1000)).toBeCloseTo(-500_000 - Math.log(1000 * 2.5066282746310002) - 1e-6, 8);
    expect(tLogSf(1000, 1e6)).toBeLessThan(-340_000);
  });

  // By 40 digits of mpmath: gammainc and 1F1, sums of the binomial, quadrature of the definition.
  it.each([
    ['χ², above', chiSquareLogSf(2000, 30), -928.4685627233619],
    ['χ², above, 1 df', chiSquareLogSf(1e6, 1), -500007.1335476316],
    ['χ², above, many df', chiSquareLogSf(200_000, 100_000), -15348.969841341612],
    ['χ², below', chiSquareLogCdf(1e-200, 5), -1154.2263880507699],
    ['χ², below, many df', chiSquareLogCdf(100, 10_000), -18081.018433440368],
    ['binomial, below', binomialLogCdf(10, 10_000, 0.5), -6854.476314576847],
    ['binomial, above', binomialLogSf(900, 1000, 0.1), -1765.3326390896357],
    ['binomial, above, rare', binomialLogSf(4990, 5000, 0.01), -22920.649125918957],
    ['noncentral t, above', nonCentralTLogSf(200, 1000, 1), -1830.1583132429766],
    ['noncentral t, above, from below', nonCentralTLogSf(5, 400, -30), -599.5747710698678],
    ['noncentral t, below', nonCentralTLogCdf(3, 10, 60), -926.4689640189442],
    ['noncentral t, below, few df', nonCentralTLogCdf(1, 5, 45), -837.4920134673648],
    ['noncentral t, below zero', nonCentralTLogCdf(-40, 50, 2), -105.36087517018377],
  ])('are right far out: %s', (_, found, wanted) => {
    expect(relative(found, wanted)).toBeLessThan(1e-14);
  });

  it('end where the law does', () => {
    const [never, always] = [Number.NEGATIVE_INFINITY, 0];
    expect([chiSquareLogCdf(0, 3), chiSquareLogSf(0, 3)]).toEqual([never, always]);
    expect([chiSquareLogCdf(Infinity, 3), chiSquareLogSf(Infinity, 3)]).toEqual([always, never]);
    expect([binomialLogCdf(-1, 9, 0.5), binomialLogSf(-1, 9, 0.5)]).toEqual([never, always]);
    expect([binomialLogCdf(9, 9, 0.5), binomialLogSf(9, 9, 0.5)]).toEqual([always, never]);
  });
});

describe('the t distribution', () => {
  it('becomes the normal one', () => {
    for (const t of [0.3, 2, 5, 12]) {
      expect(relative(tSf(t, 1e12), normalSf(t))).toBeLessThan(1e-7);
      expect(tSf(t, Number.POSITIVE_INFINITY)).toBe(normalSf(t));
    }
    expect(tIsf(0.025, Number.POSITIVE_INFINITY)).toBe(normalIsf(0.025));
  });

  it('with one degree of freedom is the Cauchy distribution, however far out', () => {
    for (const q of [0.3, 1e-5, 1e-100, 1e-200]) {
      expect(relative(tIsf(q, 1), 1 / Math.tan(Math.PI * q))).toBeLessThan(1e-12);
    }
  });
});

describe('the noncentral t distribution', () => {
  it('without noncentrality is the t distribution', () => {
    for (const [t, df] of [
      [-2, 3],
      [0.5, 1],
      [2.5, 40],
      [8, 1e6],
    ] as const) {
      expect(relative(nonCentralTSf(t, df, 0), tSf(t, df))).toBeLessThan(1e-12);
    }
  });

  it('has tails that add up to one and mirror each other', () => {
    expect(nonCentralTSf(2, 9, 1.5) + nonCentralTCdf(2, 9, 1.5)).toBeCloseTo(1, 14);
    expect(nonCentralTSf(-2, 9, -1.5)).toBeCloseTo(nonCentralTCdf(2, 9, 1.5), 14);
    // By 40 digits of mpmath.
    expect(relative(nonCentralTCdf(3, 10, 20), 4.25347613880258e-41)).toBeLessThan(1e-12);
  });

  it('keeps its tails apart where few degrees of freedom make one long', () => {
    for (const t of [-20, 0.5, 23, 80, 1e4]) {
      expect(nonCentralTSf(t, 0.7, 40) + nonCentralTCdf(t, 0.7, 40)).toBeCloseTo(1, 12);
    }
  });

  it('has quantiles without noncentrality that are those of t, and no quantile beyond numbers', () => {
    for (const q of [1e-100, 0.025, 0.7]) {
      expect(relative(nonCentralTIsf(q, 12, 0), tIsf(q, 12))).toBeLessThan(1e-12);
      expect(relative(nonCentralTQuantile(q, 12, 0), tQuantile(q, 12))).toBeLessThan(1e-12);
    }
    expect(nonCentralTIsf(1e-300, 0.5, 0)).toBe(Infinity);
    expect([0, 1].map((p) => nonCentralTQuantile(p, 9, 1))).toEqual([-Infinity, Infinity]);
  });
});

describe('the binomial distribution', () => {
  it('adds up its probabilities', () => {
    const [n, p] = [25, 0.3];
    let sum = 0;
    for (let k = 0; k <= n; k++) {
      sum += binomialPmf(k, n, p);
      expect(binomialCdf(k, n, p)).toBeCloseTo(sum, 13);
      expect(binomialSf(k, n, p)).toBeCloseTo(1 - sum, 13);
    }
    expect([binomialCdf(-1, n, p), binomialCdf(n, n, p), binomialSf(-1, n, p)]).toEqual([0, 1, 1]);
  });

  it('has the smallest quantiles that reach a probability, from below and above', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        value(0.01, 0.99),
        value(0.001, 0.999),
        (n, p, q) => {
          const k = binomialQuantile(q, n, p);
          expect(binomialCdf(k, n, p)).toBeGreaterThanOrEqual(q * (1 - 1e-12));
          if (k > 0) expect(binomialCdf(k - 1, n, p)).toBeLessThan(q);
          const above = binomialIsf(q, n, p);
          expect(binomialSf(above, n, p)).toBeLessThanOrEqual(q * (1 + 1e-12));
          if (above > 0) expect(binomialSf(above - 1, n, p)).toBeGreaterThan(q);
        },
      ),
    );
    expect(binomialQuantile(binomialCdf(3, 10, 0.4), 10, 0.4)).toBe(3);
    expect(binomialIsf(binomialSf(3, 10, 0.4), 10, 0.4)).toBe(3);
    // Far out, where one less the tail is one.
    expect(binomialIsf(binomialSf(700, 1000, 0.5), 1000, 0.5)).toBe(700);
    expect([binomialIsf(0, 9, 0.5), binomialIsf(1, 9, 0.5)]).toEqual([9, 0]);
  });
});

describe('special functions', () => {
  it('ln Γ is the logarithm of factorials, and precise at its zeros', () => {
    let factorial = 1;
    for (let n = 1; n <= 20; n++) {
      expect(logGamma(n)).toBeCloseTo(Math.log(factorial), 12);
      factorial *= n;
    }
    expect(relative(logGamma(1 + 1e-7), -5.772155826618e-8)).toBeLessThan(1e-8);
    for (const x of [0.499999999, 0.5, 1.5, 2.5, 2.500000001]) {
      expect(logGamma(x + 1)).toBeCloseTo(logGamma(x) + Math.log(x), 13);
    }
  });

  it('W₋₁ inverts w·e^w', () => {
    for (const w of [-1, -1.0001, -1.5, -3, -20, -600]) {
      expect(relative(lambertWm1(w * Math.exp(w)), w)).toBeLessThan(w > -1.01 ? 1e-8 : 1e-12);
    }
  });

  it('the normal loss is what it is defined as, and does not cancel', () => {
    for (const k of [-3, 0, 1.9, 2.1]) {
      expect(normalLoss(k)).toBeCloseTo(normalPdf(k) - k * normalSf(k), 14);
    }
    // φ(k)/k² (1 − 3/k² + 15/k⁴ − …)
    expect(
      relative(normalLoss(30), (normalPdf(30) / 900) * (1 - 3 / 900 + 15 / 810_000)),
    ).toBeLessThan(1e-6);
  });
});
