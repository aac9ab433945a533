import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cupedArm as arm, value } from '../../../test/stats/arbitraries.ts';
import { randomStream } from '../../../test/stats/random.ts';
import {
  type CovariateArm,
  type CupedArm,
  covariateArm,
  cupedDifference,
  cupedMultiple,
  cupedRatioArm,
  cupedRatioDifference,
  interactedDifference,
  type JointMoments,
  jointMomentsFromSums,
  mergeMoments,
  postStratifiedDifference,
  type Sample,
  welchDifference,
} from '../index.ts';

const asVectors = ({ n, meanY, varY, meanX, varX, covXY }: CupedArm): CovariateArm => ({
  n,
  meanY,
  varY,
  meanX: [meanX],
  covX: [[varX]],
  covXY: [covXY],
});

const raw = ({ n, meanY, varY }: CupedArm): Sample => ({ n, mean: meanY, variance: varY });

/** Joint moments of rows. */
function jointOf(rows: readonly (readonly number[])[]): JointMoments {
  const [first = []] = rows;
  const add = (f: (row: readonly number[]) => number): number =>
    rows.reduce((sum, row) => sum + f(row), 0);
  return jointMomentsFromSums(
    rows.length,
    first.map((_, i) => add((row) => row[i] ?? 0)),
    first.map((_, i) => first.map((__, j) => add((row) => (row[i] ?? 0) * (row[j] ?? 0)))),
  );
}

describe('CUPED', () => {
  it('with a covariate that says nothing is the plain comparison', () => {
    fc.assert(
      fc.property(arm, arm, (t, c) => {
        const [a, b] = [t, c].map((x) => ({ ...x, covXY: 0 }));
        if (a === undefined || b === undefined) return false;
        const adjusted = cupedDifference(a, b, 0.05);
        const plain = welchDifference(raw(t), raw(c), 0.05);
        if (adjusted.status !== 'ok' || plain.status !== 'ok') return false;
        return adjusted.theta === 0 && adjusted.diff === plain.diff && adjusted.se === plain.se;
      }),
    );
  });

  it('with a covariate that says everything leaves no variance', () => {
    const t = { n: 100, meanY: 12, varY: 4, meanX: 6, varX: 1, covXY: 2 };
    const c = { n: 100, meanY: 11, varY: 4, meanX: 5.5, varX: 1, covXY: 2 };
    const outcome = cupedDifference(t, c, 0.05);
    expect(outcome).toMatchObject({ status: 'ZERO_VARIANCE' });
    if (outcome.status === 'ZERO_VARIANCE') expect(outcome.diff).toBeCloseTo(0, 12);
  });

  it('gives a control the same adjusted mean in every comparison', () => {
    fc.assert(
      fc.property(arm, arm, arm, (a, b, c) => {
        const [first, second] = [
          cupedDifference(a, c, 0.05, [b]),
          cupedDifference(b, c, 0.05, [a]),
        ];
        if (first.status !== 'ok' || second.status !== 'ok') return false;
        return Math.abs(first.control.mean - second.control.mean) < 1e-12;
      }),
    );
  });

  it('says so when the treatment touched the covariate', () => {
    const base = { n: 1000, varY: 1, varX: 1, covXY: 0.8 };
    const c = { ...base, meanY: 5, meanX: 5 };
    expect(cupedDifference({ ...c, meanY: 5.1 }, c, 0.05)).toMatchObject({ flags: [] });
    expect(cupedDifference({ ...c, meanY: 5.1, meanX: 5.3 }, c, 0.05)).toMatchObject({
      flags: ['COVARIATE_CONTAMINATION'],
    });
  });

  it('passes over a covariate that another determines, or that does not vary', () => {
    const t: CovariateArm = {
      n: 100,
      meanY: 5,
      varY: 4,
      meanX: [1, 2, 7],
      covX: [
        [1, 2, 0],
        [2, 4, 0],
        [0, 0, 0],
      ],
      covXY: [1, 2, 0],
    };
    const outcome = cupedMultiple(t, { ...t, meanY: 4 }, 0.05);
    expect(outcome).toMatchObject({
      status: 'ok',
      theta: [1, 0, 0],
      flags: ['DEGENERATE_COVARIATE', 'COLLINEAR_COVARIATES_DROPPED'],
    });
    expect(interactedDifference(t, { ...t, meanY: 4 }, 0.05)).toMatchObject({
      betaTreatment: [1, 0, 0],
      flags: ['DEGENERATE_COVARIATE', 'COLLINEAR_COVARIATES_DROPPED'],
    });
  });

  it('of joint moments equals that of their covariances', () => {
    const random = randomStream(7);
    const rows = (shift: number) =>
      Array.from({ length: 200 }, () => {
        const x = random.normal();
        return [shift + 0.7 * x + random.normal(), x];
      });
    const [t, c] = [covariateArm(jointOf(rows(5.2))), covariateArm(jointOf(rows(5)))];
    const outcome = cupedMultiple(t, c, 0.05);
    if (outcome.status !== 'ok') throw new Error(outcome.status);
    expect(outcome.theta[0]).toBeCloseTo(0.7, 0);
    expect(outcome.varianceReduction).toBeGreaterThan(0.2);
  });
});

describe("Lin's adjustment", () => {
  it('with equal slopes is close to CUPED', () => {
    fc.assert(
      fc.property(arm, value(-1, 1), (t, shift) => {
        const c = { ...t, meanY: t.meanY + shift };
        const lin = interactedDifference(asVectors(t), asVectors(c), 0.05);
        const cuped = cupedDifference(t, c, 0.05);
        if (lin.status !== 'ok' || cuped.status !== 'ok') return false;
        return Math.abs(lin.diff - cuped.diff) < 1e-9 && Math.abs(lin.se / cuped.se - 1) < 0.03;
      }),
    );
  });

  it('needs more units than covariates', () => {
    const small = { ...asVectors({ n: 3, meanY: 1, varY: 1, meanX: 1, varX: 1, covXY: 0.5 }) };
    expect(interactedDifference({ ...small, meanY: 4 }, small, 0.05)).toEqual({
      status: 'INSUFFICIENT_UNITS',
      diff: 3,
    });
  });
});

describe('CUPED of a ratio', () => {
  const random = randomStream(11);
  const rows = (n: number, rate: number, hasHistory = true) =>
    Array.from({ length: n }, () => {
      const taste = 1 + 0.5 * random.uniform();
      const visits = 1 + Math.floor(5 * random.uniform());
      const before = 1 + Math.floor(5 * random.uniform());
      const clicks = visits * rate * taste + 0.1 * random.normal();
      const past = before * taste + 0.1 * random.normal();
      return [clicks, visits, hasHistory ? past : 0, hasHistory ? before : 0];
    });

  it('takes variance away, and none without a history', () => {
    const [t, c] = [rows(500, 1.1), rows(500, 1)].map((r) => cupedRatioArm(jointOf(r)));
    if (t === undefined || c === undefined) throw new Error('arms');
    const outcome = cupedRatioDifference(t, c, 0.05);
    if (outcome.status !== 'ok') throw new Error(outcome.status);
    expect(outcome.varianceReduction).toBeGreaterThan(0.5);
    expect(outcome.lift).toMatchObject({ status: 'ok' });
    const [t0, c0] = [rows(500, 1.1, false), rows(500, 1, false)].map((r) =>
      cupedRatioArm(jointOf(r)),
    );
    if (t0 === undefined || c0 === undefined) throw new Error('arms');
    expect(cupedRatioDifference(t0, c0, 0.05)).toMatchObject({
      theta: 0,
      varianceReduction: 0,
      flags: ['DEGENERATE_COVARIATE'],
    });
  });

  it('refuses a ratio without denominator', () => {
    const empty = { n: 5, means: [1, 0, 1, 1], cov: [0, 1, 2, 3].map(() => [0, 0, 0, 0]) };
    expect(cupedRatioDifference(empty, empty, 0.05)).toEqual({ status: 'ZERO_DENOMINATOR' });
  });
});

describe('post-stratification', () => {
  const stratum = (n: number, mean: number, effect: number) => ({
    treatment: { n, mean: mean + effect, variance: 1 },
    control: { n, mean, variance: 1 },
  });

  it('takes away what strata explain', () => {
    const strata = [stratum(100, 0, 0.5), stratum(100, 10, 0.5)];
    const outcome = postStratifiedDifference(strata, 0.05);
    expect(outcome).toMatchObject({ status: 'ok', strataUsed: 2 });
    if (outcome.status !== 'ok') return;
    expect(outcome.diff).toBeCloseTo(0.5, 12);
    // Two arms of 200 units with a variance of one, and none between strata.
    expect(outcome.se).toBeCloseTo(0.1, 12);
  });

  it('of one stratum is the plain difference', () => {
    const one = stratum(50, 3, 1);
    const plain = welchDifference(one.treatment, one.control, 0.05);
    const outcome = postStratifiedDifference([one], 0.05);
    if (outcome.status !== 'ok' || plain.status !== 'ok') throw new Error('refused');
    expect(outcome.diff).toBe(plain.diff);
    expect(outcome.se).toBeCloseTo(plain.se, 14);
    expect(outcome.lift?.lift).toBeCloseTo(1 / 3, 12);
  });

  it('merges strata without two units in each arm', () => {
    const lopsided = {
      treatment: { n: 500, mean: 1, variance: 1 },
      control: { n: 1, mean: 4, variance: 0 },
    };
    const strata = [stratum(50, 3, 1), lopsided, stratum(20, 2, 1)];
    const outcome = postStratifiedDifference(strata, 0.05);
    expect(outcome).toMatchObject({ status: 'ok', strataUsed: 2 });
    const merged = mergeMoments({ n: 50, mean: 4, m2: 49 }, { n: 500, mean: 1, m2: 499 });
    expect(merged.n).toBe(550);
  });

  it('refuses arms that are empty, single or constant', () => {
    const none = { n: 0, mean: 0, variance: 0 };
    const flat = { n: 5, mean: 2, variance: 0 };
    const of = (treatment: Sample, control: Sample) =>
      postStratifiedDifference([{ treatment, control }], 0.05);
    expect(of(none, flat)).toEqual({ status: 'NO_UNITS' });
    expect(of({ ...flat, n: 1, mean: 5 }, flat)).toEqual({ status: 'INSUFFICIENT_UNITS', diff: 3 });
    expect(of(flat, flat)).toEqual({ status: 'ZERO_VARIANCE', diff: 0 });
    expect(postStratifiedDifference([], 0.05)).toEqual({ status: 'NO_UNITS' });
  });
});
