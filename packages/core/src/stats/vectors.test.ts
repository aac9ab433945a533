import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, type Answer, type Inputs, PARTIAL } from '../../test/stats/vector-adapters.ts';

interface Case {
  readonly id: string;
  readonly method: string;
  readonly inputs: Inputs;
  readonly expected: Readonly<Record<string, unknown>>;
  readonly tolerance?: { readonly rel?: number; readonly abs?: number };
}

const { cases }: { readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL('../../../../spec/statistics/stats-vectors.json', import.meta.url), 'utf8'),
);

/** Methods of the specification that do not exist yet; their issue empties this list. */
const MISSING = [
  'bandit.applyFloor',
  'bandit.epsilonGreedyWeights',
  'bandit.ipwMean',
  'bandit.periodStratified',
  'bandit.topTwoWeights',
  'bayes.betaBinomial',
  'bayes.betaBinomial.credibleInterval',
  'bayes.normal',
  'bayes.probBest.beta',
  'bayes.probBest.normal',
  'count.poissonRateExact',
  'cuped.multiPooled',
  'cuped.ratio',
  'cuped.regressionInteracted',
  'cuped.single',
  'dist.lambertWm1',
  'dist.nonCentralTSf',
  'multipleTesting.bonferroniInterval',
  'nonInferiority.absolute',
  'nonInferiority.proportionScore',
  'nonInferiority.relative',
  'postStratification',
  'power.asymptoticCs.sampleSize',
  'power.duration',
  'power.guardrailCorrection',
  'power.mean.powerT',
  'power.mean.sampleSize',
  'power.multiArm.totalSampleSize',
  'power.nonInferiority.sampleSize',
  'power.proportion.power',
  'power.proportion.sampleSize',
  'power.ratio.sampleSize',
  'proportion.clopperPearson',
  'proportion.diff.newcombe',
  'proportion.fisherExact',
  'proportion.lift.log',
  'proportion.zTest',
  'quantile.clusteredVariance',
  'quantile.orderStatisticRanks',
  'sequential.anytimeValidT',
  'sequential.asymptoticConfidenceSequence',
  'sequential.asymptoticConfidenceSequence.monitor',
  'sequential.groupSequentialBoundary',
  'sequential.groupSequentialInflation',
  'sequential.groupSequentialMonitor',
  'sequential.msprt',
  'sequential.robustStandardError',
  'sequential.tuneRho',
  'srm.sequentialMultinomial',
  'srm.varyingWeights',
  'validation.binomialAcceptance',
  'validation.ksUniform',
  'validation.naivePeekingTypeI',
  'winsorize.upper',
];

const asNumber = (value: unknown): unknown =>
  typeof value === 'string' && value !== '' && !Number.isNaN(Number(value)) ? Number(value) : value;

function expectClose(
  found: unknown,
  wanted: unknown,
  path: string,
  tolerance: Case['tolerance'],
): void {
  if (Array.isArray(wanted)) {
    expect(Array.isArray(found), `${path} is a list`).toBe(true);
    for (const [index, item] of wanted.entries()) {
      expectClose((found as unknown[])[index], item, `${path}.${index}`, tolerance);
    }
    return;
  }
  const expected = asNumber(wanted);
  if (typeof expected !== 'number' || !Number.isFinite(expected)) {
    expect(found, path).toEqual(expected);
    return;
  }
  // Below the smallest normal number an engine may answer anything that small.
  if (typeof wanted === 'string' && expected < 1e-300) {
    expect(found, path).toBeLessThanOrEqual(1e-300);
    return;
  }
  const rel = tolerance?.rel ?? 1e-9;
  const abs = tolerance?.abs ?? (expected === 0 ? 1e-12 : 0);
  const distance = Math.abs((found as number) - expected);
  expect(distance, `${path}: ${String(found)} instead of ${expected}`).toBeLessThanOrEqual(
    Math.max(abs, rel * Math.abs(expected)),
  );
}

function check(found: Answer, { expected, method, tolerance }: Case): void {
  const skipped = PARTIAL[method] ?? [];
  for (const [name, wanted] of Object.entries(expected)) {
    if (!skipped.includes(name)) expectClose(found[name], wanted, name, tolerance);
  }
}

describe('the published vectors', () => {
  const existing = cases.filter(({ method }) => ADAPTERS[method] !== undefined);
  it.each(existing)('$id', (vector) => {
    const adapter = ADAPTERS[vector.method];
    if (adapter === undefined) throw new Error(`no adapter for ${vector.method}`);
    check(adapter(vector.inputs), vector);
  });

  it('lists exactly the methods that do not exist yet', () => {
    const methods = [...new Set(cases.map(({ method }) => method))].sort();
    expect(methods.filter((method) => ADAPTERS[method] === undefined)).toEqual(MISSING);
  });

  it('leaves no field of an existing method unsaid but the named ones', () => {
    for (const [method, fields] of Object.entries(PARTIAL)) {
      const known = new Set(
        cases
          .filter((vector) => vector.method === method)
          .flatMap(({ expected }) => Object.keys(expected)),
      );
      expect(fields.filter((field) => !known.has(field))).toEqual([]);
    }
  });
});
