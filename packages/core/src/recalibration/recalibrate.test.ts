import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { input, means, metric, quantile, rates, ratios } from '../../test/analysis/inputs.ts';
import { type Random, randomStream } from '../../test/stats/random.ts';
import { analyse } from '../analysis/index.ts';
import type { ArmData } from '../analysis/types.ts';
import { armsOfEvents } from './arm-of-events.ts';
import { armsOfValues, widthOf } from './arm-of-values.ts';
import {
  type EventsOfUsers,
  type MetricCalibration,
  type MetricOfUsers,
  type RecalibrationOptions,
  recalibrate,
  type ValuesOfUsers,
} from './index.ts';
import type { Conclude } from './types.ts';

const OPTIONS: RecalibrationOptions = {
  analysis: { method: 'fixed', alpha: 0.05, plannedUsers: null },
  splits: 400,
  controlBuckets: 5_000,
  seed: 'a',
};

function valuesOf(
  kind: ValuesOfUsers['kind'],
  rows: readonly (readonly number[])[],
  hasCovariate = false,
): ValuesOfUsers {
  const common = { key: kind, direction: 'increase' } as const;
  return { ...common, kind, values: Float64Array.from(rows.flat()), hasCovariate };
}

function eventsOf(users: readonly (readonly number[])[], p: number): EventsOfUsers {
  const events = users
    .flatMap((values, owner) => values.map((value) => ({ value, owner })))
    .sort((a, b) => a.value - b.value);
  return {
    kind: 'quantile',
    key: 'quantile',
    direction: 'increase',
    p,
    users: users.length,
    values: Float64Array.from(events, ({ value }) => value),
    owners: Uint32Array.from(events, ({ owner }) => owner),
  };
}

function finish(
  steps: Generator<number, readonly MetricCalibration[]>,
): readonly MetricCalibration[] {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Calibrates on so many users, each of whom does something at random. */
function calibrate(
  users: number,
  metrics: (random: Random) => readonly MetricOfUsers[],
  options: Partial<RecalibrationOptions> = {},
  conclude?: Conclude,
): readonly MetricCalibration[] {
  const ids = Array.from({ length: users }, (_, user) => `user-${user}`);
  const population = { ids, metrics: metrics(randomStream(7)) };
  return finish(recalibrate(population, { ...OPTIONS, ...options }, conclude));
}

const repeat = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
const poisson = (random: Random, mean: number): number => {
  let count = 0;
  for (let left = Math.exp(-mean), p = random.uniform(); p > left; p *= random.uniform()) count++;
  return count;
};

/** Clicks and views of users who view more or less than others, before as after. */
function clicks(random: Random): readonly number[] {
  const views = random.uniform() < 0.5 ? 2 : 20;
  const [before, after] = [poisson(random, views), poisson(random, views)];
  return [poisson(random, after * 0.3), after, poisson(random, before * 0.3), before];
}

const USERS = 800;
const nothingSpecial = (random: Random): readonly MetricOfUsers[] => [
  valuesOf(
    'rate',
    repeat(USERS, () => [random.uniform() < 0.3 ? 1 : 0]),
  ),
  valuesOf(
    'mean',
    repeat(USERS, () => [Math.exp(random.normal())]),
  ),
  valuesOf(
    'mean',
    repeat(USERS, () => {
      const before = random.normal();
      return [100 + before + random.normal(), before];
    }),
    true,
  ),
  valuesOf(
    'ratio',
    repeat(USERS, () => clicks(random).slice(0, 2)),
  ),
  valuesOf(
    'ratio',
    repeat(USERS, () => clicks(random)),
    true,
  ),
  eventsOf(
    repeat(USERS, () => {
      const own = random.normal();
      return repeat(poisson(random, 3), () => Math.exp(own + random.normal()));
    }),
    0.9,
  ),
];

describe('the arms of a split', () => {
  const number = fc.double({ min: -1e3, max: 1e3, noNaN: true });
  const rowsOf = (width: number) =>
    fc.array(fc.tuple(fc.array(number, { minLength: width, maxLength: width }), fc.boolean()), {
      minLength: 4,
      maxLength: 40,
    });
  type Rows = readonly (readonly [row: readonly number[], isTreated: boolean])[];
  const armOf = (rows: Rows): Uint8Array => Uint8Array.from(rows, ([, treated]) => Number(treated));
  const apart = (rows: Rows) =>
    [false, true].map((arm) => rows.flatMap(([row, treated]) => (treated === arm ? [row] : [])));
  const analysed = (data: readonly ArmData[]) => {
    const [result] = analyse(input([metric(data)])).metrics;
    const { difference, standardError, lower, upper } = result?.comparisons[1] ?? {};
    return [...(result?.arms ?? []).map(({ value }) => value), difference, standardError].concat(
      lower,
      upper,
    );
  };
  /** To nine digits of the largest. */
  function expectAlike(found: readonly ArmData[], wanted: readonly ArmData[]): void {
    const [a, b] = [analysed(found), analysed(wanted)];
    const scale = Math.max(1, ...b.map((x) => Math.abs(x ?? 0)));
    for (const [i, x] of a.entries()) {
      if (x === null || x === undefined) expect(x).toBe(b[i]);
      else expect(Math.abs(x - (b[i] ?? Number.NaN)) / scale).toBeLessThan(1e-9);
    }
  }

  it.each([
    { kind: 'mean', hasCovariate: false, from: means },
    { kind: 'mean', hasCovariate: true, from: means },
    { kind: 'rate', hasCovariate: true, from: rates },
  ] as const)('are analysed as those of a store: %o', ({ kind, hasCovariate, from }) => {
    const width = hasCovariate ? 2 : 1;
    fc.assert(
      fc.property(rowsOf(width), (rows) => {
        const users: Rows = rows.map(([row, treated]) => [
          kind === 'rate' ? row.map((x) => Number(x > 0)) : row,
          treated,
        ]);
        const data = valuesOf(
          kind,
          users.map(([row]) => row),
          hasCovariate,
        );
        expect(widthOf(data)).toBe(width);
        expectAlike(armsOfValues(data)(armOf(rows), 2), from(...apart(users)));
      }),
    );
  });

  it.each([2, 4])('are analysed as those of a store: ratios of %i numbers', (width) => {
    fc.assert(
      fc.property(rowsOf(width), (rows) => {
        // Denominators are counts.
        const users: Rows = rows.map(([row, treated]) => [
          row.map((x, i) => (i % 2 === 0 ? x : 1 + Math.floor(Math.abs(x) / 100))),
          treated,
        ]);
        const data = valuesOf(
          'ratio',
          users.map(([row]) => row),
          width === 4,
        );
        expectAlike(armsOfValues(data)(armOf(rows), 2), ratios(...apart(users)));
      }),
    );
  });

  it('are those of a store: quantiles, also of ties', () => {
    const events = fc.array(fc.oneof(number, fc.integer({ min: 0, max: 3 })), { maxLength: 6 });
    const users = fc.array(fc.tuple(events, fc.boolean()), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(users, fc.constantFrom(0.1, 0.5, 0.95), (rows, p) => {
        const found = armsOfEvents(
          eventsOf(
            rows.map(([row]) => row),
            p,
          ),
          0.05,
        )(armOf(rows), 2);
        expect(found).toEqual(apart(rows).map((arm) => quantile(arm, p)));
      }),
    );
  });
});

describe('calibration', () => {
  it.each([
    { method: 'fixed', controlBuckets: 5_000 },
    { method: 'fixed', controlBuckets: 2_500 },
    { method: 'sequential', controlBuckets: 5_000 },
    { method: 'bayesian', controlBuckets: 5_000 },
  ] as const)('finds each level kept, whatever the seed: %o', ({ method, controlBuckets }) => {
    const analysis = { ...OPTIONS.analysis, method };
    for (const seed of ['a', 'b', 'c']) {
      const found = calibrate(USERS, nothingSpecial, { analysis, controlBuckets, seed });
      expect(found).not.toEqual([]);
      for (const metric of found) {
        expect(metric).toMatchObject({ status: 'ok', concluded: 400, users: USERS });
        if (metric.key === 'quantile') expect(metric.armCoverage).toBeNull();
        // At one of the looks that they hold at together, intervals hold nearly always.
        else if (method === 'sequential') expect(metric.armCoverage).toBeGreaterThan(0.99);
        else expect(Math.abs((metric.armCoverage ?? 0) - 0.95)).toBeLessThan(0.04);
        const isContinuous = metric.key === 'mean' || metric.key === 'ratio';
        if (method === 'fixed' && isContinuous) {
          expect(metric.uniformityPValue).toBeGreaterThan(0.001);
        } else if (method !== 'fixed' || metric.key === 'quantile') {
          expect(metric.uniformityPValue).toBeNull();
        }
      }
    }
  });

  it('keeps the level at a planned look', () => {
    const analysis = { ...OPTIONS.analysis, method: 'sequential', plannedUsers: 1_600 } as const;
    const found = calibrate(USERS, nothingSpecial, { analysis });
    expect(found).not.toEqual([]);
    for (const { status, falsePositiveRate } of found) {
      expect(status).toBe('ok');
      // The boundary of O'Brien & Fleming gives away next to nothing half way: 0.3 %.
      expect(falsePositiveRate).toBeLessThan(0.02);
    }
  });

  it('is told by a statistic that forgets the variance of the denominator', () => {
    /** As if views were given: only the clicks vary. */
    const forgetful: Conclude = (_, arms) => {
      const parts = arms.map((arm) => {
        if (arm.kind !== 'ratio') throw new Error('a ratio is asked about');
        const { numerator, denominator, about, moments } = arm;
        const [[rr = 0, rd = 0] = [], [, dd = 0] = []] = moments.products;
        const variance = (rr + 2 * about * rd + about * about * dd) / (moments.n - 1);
        return {
          value: numerator / denominator,
          variance: variance / moments.n / (denominator / moments.n) ** 2,
        };
      });
      const [control, treatment] = parts;
      const difference = (treatment?.value ?? 0) - (control?.value ?? 0);
      const half = 1.96 * Math.sqrt((control?.variance ?? 0) + (treatment?.variance ?? 0));
      return {
        isRejected: Math.abs(difference) > half,
        pValue: null,
        lower: difference - half,
        upper: difference + half,
        arms: [],
      };
    };
    const asked = (random: Random) => [
      valuesOf(
        'ratio',
        repeat(USERS, () => clicks(random).slice(0, 2)),
      ),
    ];
    const [broken] = calibrate(USERS, asked, {}, forgetful);
    expect(broken).toMatchObject({ status: 'outside', armCoverage: null });
    expect(calibrate(USERS, asked)).toMatchObject([{ status: 'ok' }]);
  });

  it('is told by events taken for independent of each other', () => {
    const one = (random: Random) => [
      eventsOf(
        repeat(USERS, () => {
          const own = random.normal();
          return repeat(20, () => own + 0.1 * random.normal());
        }),
        0.5,
      ),
    ];
    const alone: Conclude = (_, arms) => {
      const [control, treatment] = arms.map((arm) => {
        if (arm.kind !== 'quantile') throw new Error('a quantile is asked about');
        return { value: arm.value ?? 0, se: ((arm.upper ?? 0) - (arm.lower ?? 0)) / 3.92 };
      });
      const difference = (treatment?.value ?? 0) - (control?.value ?? 0);
      const half = 1.96 * Math.hypot(control?.se ?? 0, treatment?.se ?? 0);
      const isRejected = Math.abs(difference) > half;
      return { isRejected, pValue: null, lower: null, upper: null, arms: [] };
    };
    expect(calibrate(USERS, one, {}, alone)).toMatchObject([{ status: 'outside' }]);
    expect(calibrate(USERS, one)).toMatchObject([{ status: 'ok' }]);
  });

  it('concludes nothing where nothing was done', () => {
    const found = calibrate(200, () => [
      valuesOf(
        'mean',
        repeat(200, () => [0]),
      ),
      valuesOf(
        'rate',
        repeat(200, () => [0]),
      ),
      valuesOf(
        'rate',
        repeat(200, () => [1]),
      ),
      valuesOf(
        'ratio',
        repeat(200, () => [0, 0]),
      ),
      eventsOf(
        repeat(200, () => []),
        0.5,
      ),
    ]);
    expect(found).not.toEqual([]);
    for (const metric of found) {
      expect(metric).toMatchObject({
        status: 'none',
        concluded: 0,
        falsePositiveRate: null,
        acceptance: null,
        coverage: null,
        armCoverage: null,
        uniformityPValue: null,
      });
    }
  });

  it('says nothing of the law of p-values that repeat', () => {
    const [rare] = calibrate(200, () => [
      valuesOf(
        'rate',
        Array.from({ length: 200 }, (_, user) => [user < 3 ? 1 : 0]),
      ),
    ]);
    expect(rare).toMatchObject({ concluded: 400, uniformityPValue: null });
  });

  it('is a function of its input, step by step', () => {
    const run = (seed: string) => calibrate(100, nothingSpecial, { splits: 20, seed });
    expect(run('x')).toEqual(run('x'));
    expect(run('x')).not.toEqual(run('y'));
    const population = { ids: ['a', 'b'], metrics: [valuesOf('mean', [[1], [2]])] };
    expect([...recalibrate(population, { ...OPTIONS, splits: 2 })]).toEqual([0, 0, 0, 1, 1, 2]);
  });
});
