import fc from 'fast-check';
import { expect } from 'vitest';
import type { Arms, Interval, Questions, Value } from '../../src/stats/index.ts';
import { level, value } from './arbitraries.ts';

// The properties of §9.2 that are the same for every test, of which each test claims some.

/** What holds of a test, whatever the data. */
export interface Claims<D> {
  readonly data: fc.Arbitrary<D>;
  /** Within which the estimate and its interval lie. */
  readonly range?: readonly [min: number, max: number];
  /** Data without units, of which every question is refused as NO_UNITS. */
  readonly empty?: D;
  /** What the p-value is of: the interval leaves it out exactly when p < alpha. */
  readonly tested?: (data: D) => number;
  /** For a test that is set for a level beforehand. */
  readonly setFor?: (data: D, alpha: number) => D;
  readonly swap?: Swap<D>;
  readonly scale?: Scale<D>;
  /** Adds to both arms what no answer depends on: a constant, or so much of a covariate. */
  readonly shift?: (data: D, by: number) => D;
  /** Of each property, where the test is slow. */
  readonly numRuns?: number;
}

/** Treatment as control and the other way round. */
interface Swap<D> {
  readonly swap: (data: D) => D;
  /** What a value turns into. */
  readonly mirror: (value: number) => number;
  /** Whether the limits turn into each other; true when absent. */
  readonly mirrorsLimits?: boolean;
  /** Whether the standard error is the same. */
  readonly keepsError?: boolean;
  /** Where not all data have a mirror. */
  readonly data?: fc.Arbitrary<D>;
}

/** The same data in another unit. */
interface Scale<D> {
  readonly scale: (data: D, factor: number) => D;
  /** What a value turns into. */
  readonly follow: (value: number, factor: number) => number;
}

/** Swapped arms. */
export const swapArms = <D extends Arms<unknown>>(data: D): D => ({
  ...data,
  treatment: data.control,
  control: data.treatment,
});

/** Of a difference, when arms are swapped. */
export const NEGATED = {
  swap: swapArms,
  mirror: (difference: number): number => -difference,
  keepsError: true,
};
/** Of a ratio. */
export const INVERTED = { swap: swapArms, mirror: (ratio: number): number => 1 / ratio };
/** Of a lift, which is a ratio less one. */
export const LIFT_INVERTED = {
  swap: swapArms,
  mirror: (lift: number): number => 1 / (1 + lift) - 1,
};

/** A property under its name, for `it.each`. */
export type Property = readonly [name: string, check: () => void];

/** Numbers that are the same but for rounding, of values about as large as `size`. */
const expectNear = (a: number, b: number, size = 1): void => {
  if (a === b) return;
  expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-8 * (Math.abs(a) + Math.abs(b)) + 1e-9 * size);
};

type Answered = { readonly status: string };
type Known<T> = T & { readonly status: 'ok' };
const isKnown = <T>(outcome: Answered | undefined): outcome is Known<T> => outcome?.status === 'ok';

/**
 * How often each question was asked and answered. A refusal has nothing to compare, so that a property
 * would hold of a test that only refuses.
 */
class Tally {
  readonly #answered = new Map<string, number>();

  /** Calls back with both answers, unless one of them is a refusal. */
  ifBoth<T>(
    question: string,
    a: Answered | undefined,
    b: Answered | undefined,
    compare: (a: T, b: T) => void,
  ): void {
    if (a === undefined || b === undefined) return;
    const isBoth = isKnown<T>(a) && isKnown<T>(b);
    this.count(question, isBoth);
    if (isBoth) compare(a, b);
  }

  count(what: string, isSo: boolean): void {
    this.#answered.set(what, (this.#answered.get(what) ?? 0) + Number(isSo));
  }

  expectEach(least: number): void {
    const tooFew = [...this.#answered].filter(([, times]) => times < least);
    expect(this.#answered.size).toBeGreaterThan(0);
    expect(Object.fromEntries(tooFew)).toEqual({});
  }
}

/** The least part of the runs in which there must be something to compare. */
const COMPARED_MIN = 1 / 4;
/** And in which a test must reject, and must not. */
const DECIDED_MIN = 1 / 20;

/** Shifted data are larger than what is said of them, and lose as many digits. */
const SHIFTED_SIZE = 100;

/** A property of data and a number, which must have had something to say of `least` of its runs. */
function holds<D>(
  name: string,
  [data, number]: readonly [fc.Arbitrary<D>, fc.Arbitrary<number>],
  check: (tally: Tally, seen: D, number: number) => void,
  { numRuns, least = COMPARED_MIN }: { readonly numRuns: number; readonly least?: number },
): Property {
  return [
    name,
    () => {
      const tally = new Tally();
      const property = fc.property(data, number, (seen, x) => check(tally, seen, x));
      fc.assert(property, { numRuns });
      tally.expectEach(numRuns * least);
    },
  ];
}

function swapped<D>(test: Questions<D>, { data, swap, numRuns = 100 }: Claims<D>): Property[] {
  if (swap === undefined) return [];
  const { mirror, mirrorsLimits = true, keepsError = false } = swap;
  const check = (tally: Tally, seen: D, alpha: number): void => {
    const other = swap.swap(seen);
    const { estimate, standardError, pValue, interval } = test;
    tally.ifBoth<Value>('estimate', estimate?.(seen), estimate?.(other), (a, b) =>
      expectNear(b.value, mirror(a.value)),
    );
    if (keepsError) {
      const [a, b] = [standardError?.(seen), standardError?.(other)];
      tally.ifBoth<Value>('standardError', a, b, (own, swapped) =>
        expectNear(swapped.value, own.value),
      );
    }
    tally.ifBoth<Value>('pValue', pValue?.(seen), pValue?.(other), (a, b) =>
      expectNear(b.value, a.value),
    );
    tally.ifBoth<Value>('tail', pValue?.(seen, 'greater'), pValue?.(other, 'less'), (a, b) =>
      expectNear(b.value, a.value),
    );
    if (!mirrorsLimits) return;
    const [limits, swappedLimits] = [interval?.(seen, alpha), interval?.(other, alpha)];
    tally.ifBoth<Interval>('interval', limits, swappedLimits, (a, b) => {
      expectNear(b.lower, mirror(a.upper));
      expectNear(b.upper, mirror(a.lower));
    });
  };
  const name = 'mirrors estimate and interval, and keeps the p-value, when arms are swapped';
  return [holds(name, [swap.data ?? data, level], check, { numRuns })];
}

function scaled<D>(test: Questions<D>, { data, scale, numRuns = 100 }: Claims<D>): Property[] {
  if (scale === undefined) return [];
  const check = (tally: Tally, seen: D, factor: number): void => {
    const other = scale.scale(seen, factor);
    const { estimate, standardError, pValue, interval } = test;
    const follow = (x: number): number => scale.follow(x, factor);
    const size = Math.max(1, factor);
    const follows = (a: Value, b: Value): void => expectNear(b.value, follow(a.value), size);
    tally.ifBoth('estimate', estimate?.(seen), estimate?.(other), follows);
    tally.ifBoth('standardError', standardError?.(seen), standardError?.(other), follows);
    tally.ifBoth<Value>('pValue', pValue?.(seen), pValue?.(other), (a, b) =>
      expectNear(b.value, a.value),
    );
    const [limits, others] = [interval?.(seen, 0.05), interval?.(other, 0.05)];
    tally.ifBoth<Interval>('interval', limits, others, (a, b) => {
      expectNear(b.lower, follow(a.lower), size);
      expectNear(b.upper, follow(a.upper), size);
    });
  };
  const name = 'follows the unit of the data, and keeps the p-value';
  return [holds(name, [data, value(0.001, 1000)], check, { numRuns })];
}

function shifted<D>(test: Questions<D>, { data, shift, numRuns = 100 }: Claims<D>): Property[] {
  if (shift === undefined) return [];
  const check = (tally: Tally, seen: D, by: number): void => {
    const other = shift(seen, by);
    const { estimate, standardError, pValue, interval } = test;
    const same = (a: Value, b: Value): void => expectNear(b.value, a.value, SHIFTED_SIZE);
    tally.ifBoth('estimate', estimate?.(seen), estimate?.(other), same);
    tally.ifBoth('standardError', standardError?.(seen), standardError?.(other), same);
    tally.ifBoth('pValue', pValue?.(seen), pValue?.(other), same);
    const [limits, others] = [interval?.(seen, 0.05), interval?.(other, 0.05)];
    tally.ifBoth<Interval>('interval', limits, others, (a, b) => {
      expectNear(b.lower, a.lower, SHIFTED_SIZE);
      expectNear(b.upper, a.upper, SHIFTED_SIZE);
    });
  };
  const name = 'says the same when both arms are shifted';
  return [holds(name, [data, value(-10, 10)], check, { numRuns })];
}

function nested<D>({ interval }: Questions<D>, { data, numRuns = 100 }: Claims<D>): Property[] {
  if (interval === undefined) return [];
  const check = (tally: Tally, [seen, alpha]: readonly [D, number], factor: number): void =>
    tally.ifBoth<Interval>(
      'interval',
      interval(seen, alpha),
      interval(seen, alpha / factor),
      (narrow, wide) => {
        const slack = (x: number): number =>
          Number.isFinite(x) ? 1e-12 * Math.max(1, Math.abs(x)) : 0;
        expect(wide.lower).toBeLessThanOrEqual(narrow.lower + slack(narrow.lower));
        expect(wide.upper).toBeGreaterThanOrEqual(narrow.upper - slack(narrow.upper));
      },
    );
  const name = 'has wider intervals at smaller levels';
  return [holds(name, [fc.tuple(data, level), value(1.01, 3)], check, { numRuns })];
}

function agreeing<D>({ pValue, interval }: Questions<D>, claims: Claims<D>): Property[] {
  const { data, tested, setFor = (seen: D) => seen, numRuns = 300 } = claims;
  if (pValue === undefined || interval === undefined || tested === undefined) return [];
  const check = (tally: Tally, seen: D, alpha: number): void => {
    const [p, limits] = [pValue(setFor(seen, alpha)), interval(seen, alpha)];
    if (p.status !== 'ok' || limits.status !== 'ok') return;
    const { lower, upper } = limits;
    const isUnlimited = lower === -Infinity && upper === Infinity;
    if (isUnlimited || Math.abs(p.value - alpha) < 1e-9) return;
    tally.count('rejects', p.value < alpha);
    tally.count('does not reject', p.value >= alpha);
    const without = lower > tested(seen) || upper < tested(seen);
    expect({ ...limits, without }).toEqual({ ...limits, without: p.value < alpha });
  };
  const name = 'leaves what is tested out of its interval exactly when it rejects';
  return [holds(name, [data, level], check, { numRuns, least: DECIDED_MIN })];
}

function bounded<D>(test: Questions<D>, claims: Claims<D>): Property[] {
  const { data, range: [min, max] = [-Infinity, Infinity], numRuns = 100 } = claims;
  const check = (tally: Tally, seen: D, alpha: number): void => {
    const [estimate, limits] = [test.estimate?.(seen), test.interval?.(seen, alpha)];
    const points: number[] = [min];
    if (limits?.status === 'ok') points.push(limits.lower);
    if (estimate?.status === 'ok') points.push(estimate.value);
    if (limits?.status === 'ok') points.push(limits.upper);
    points.push(max);
    for (const [i, point] of points.entries()) {
      expect(point).toBeGreaterThanOrEqual((points[i - 1] ?? -Infinity) - 1e-12);
    }
    const p = (['twoSided', 'greater', 'less'] as const).map((side) => test.pValue?.(seen, side));
    for (const tail of p) {
      if (tail?.status !== 'ok') continue;
      expect(tail.value).toBeGreaterThanOrEqual(0);
      expect(tail.value).toBeLessThanOrEqual(1);
    }
    const se = test.standardError?.(seen);
    if (se?.status === 'ok') expect(se.value).toBeGreaterThanOrEqual(0);
    for (const [name, given] of Object.entries({ estimate, limits, p: p[0], se })) {
      if (given !== undefined) tally.count(name, given.status === 'ok');
    }
  };
  const name =
    'answers within its range, the estimate inside the interval, with no number that is none';
  return [holds(name, [data, level], check, { numRuns })];
}

const BAD_LEVELS = [0, 1, -0.1, 2, Number.NaN];

function refused<D>(test: Questions<D>, { data, empty }: Claims<D>): Property[] {
  const [seen] = fc.sample(data, { numRuns: 1, seed: 1 });
  const { interval } = test;
  const properties: Property[] = [];
  if (interval !== undefined && seen !== undefined) {
    const check = (): void => {
      for (const alpha of BAD_LEVELS) {
        expect(interval(seen, alpha)).toEqual({ status: 'INVALID_INPUT' });
      }
    };
    properties.push(['refuses an interval of an impossible level', check]);
  }
  if (empty !== undefined) {
    const check = (): void => {
      const answers = [
        test.estimate?.(empty),
        test.standardError?.(empty),
        test.pValue?.(empty),
        test.interval?.(empty, 0.05),
      ].filter((answer) => answer !== undefined);
      expect(answers).toEqual(answers.map(() => ({ status: 'NO_UNITS' })));
    };
    properties.push(['refuses to say anything of no units', check]);
  }
  return properties;
}

/** Every property that a test claims. */
export const propertiesOf = <D>(
  test: Questions<D>,
  claims: Claims<NoInfer<D>>,
): readonly Property[] =>
  [swapped, scaled, shifted, nested, agreeing, bounded, refused].flatMap((of) => of(test, claims));
