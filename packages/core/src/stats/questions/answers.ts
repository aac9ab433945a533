import type { DifferenceOnly, MeanDifference } from '../means/welch.ts';
import type { NonInferiorityOptions } from '../non-inferiority.ts';
import { type Outcome, type RefusalCode, refuse } from '../outcome.ts';

// How a test's one computation answers single questions. A module of this folder is a test, and
// its exports are the questions that make sense for it, under the same names in every module:
// `estimate`, `standardError`, `pValue`, `interval`, `power` and `sampleSize`. None has a formula.

/** A number that was asked for. */
export interface Value {
  readonly value: number;
}

/** What the data do not exclude; infinite where they set no limit. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/** What is held against the hypothesis: any difference, or one in this direction alone. */
export type Alternative = 'twoSided' | 'greater' | 'less';

/** The two arms of a comparison. */
export interface Arms<A> {
  readonly treatment: A;
  readonly control: A;
}

/** The two arms, and the experiment's other ones where they help to estimate what all share. */
export interface ArmsAmongOthers<A> extends Arms<A> {
  readonly others?: readonly A[];
}

/** The two arms, in which direction the metric is good, and how much worse is still harmless. */
export interface ArmsWithMargin<A>
  extends Arms<A>,
    Pick<NonInferiorityOptions, 'goodDirection' | 'margin'> {}

/** The questions of any test that data `D` answer; each test has some of them. */
export interface Questions<D> {
  readonly estimate?: (data: D) => Outcome<Value>;
  readonly standardError?: (data: D) => Outcome<Value>;
  readonly pValue?: (data: D, alternative?: Alternative) => Outcome<Value>;
  readonly interval?: (data: D, alpha: number) => Outcome<Interval>;
}

/** The questions that a plan answers before there are data, by a plan for each. */
export interface PlanningQuestions<P, S> {
  readonly power?: (plan: P) => Outcome<{ readonly power: number }>;
  readonly sampleSize?: (plan: S) => Outcome<object>;
}

/** Everything about one set of data at once. */
type Computation<D, R, E> = (data: D, alpha: number) => Outcome<R, E>;

/** For questions on which the level has no bearing. */
const ANY_ALPHA = 0.05;

/** A function of treatment and control as one of both together. */
export const ofArms =
  <A, R, E>(compare: (treatment: A, control: A, alpha: number) => Outcome<R, E>) =>
  ({ treatment, control }: Arms<A>, alpha: number): Outcome<R, E> =>
    compare(treatment, control, alpha);

/** A test of a margin as one of the arms with their margin. */
export const ofArmsWithMargin =
  <A, R, E>(compare: (treatment: A, control: A, options: NonInferiorityOptions) => Outcome<R, E>) =>
  (
    { treatment, control, goodDirection, margin }: ArmsWithMargin<A>,
    alpha: number,
  ): Outcome<R, E> =>
    compare(treatment, control, { goodDirection, margin, alpha });

/** Reads one number; null is refused as `withoutNumber`. */
export const numberOf =
  <D, R, E>(
    compute: Computation<D, R, E>,
    read: (numbers: R) => number | null,
    withoutNumber: RefusalCode = 'INVALID_INPUT',
  ) =>
  (data: D): Outcome<Value> => {
    const outcome = compute(data, ANY_ALPHA);
    if (outcome.status !== 'ok') return refuse(outcome.status);
    const value = read(outcome);
    return value === null ? refuse(withoutNumber) : { status: 'ok', value };
  };

/** Reads one number that a refusal may leave known (§0.3), and then answers with it all the same. */
export const survivingNumberOf =
  <D, R extends object, E extends object>(
    compute: Computation<D, R, E>,
    read: (known: R | E) => number | undefined,
  ) =>
  (data: D): Outcome<Value> => {
    const outcome = compute(data, ANY_ALPHA);
    const value = read(outcome);
    if (value !== undefined) return { status: 'ok', value };
    return refuse(outcome.status === 'ok' ? 'INVALID_INPUT' : outcome.status);
  };

/** The p-value against the alternative that is asked for; two-sided when none is. */
export const tailsOf =
  <
    D,
    R extends {
      readonly pValue: number;
      readonly pValueGreater: number;
      readonly pValueLess: number;
    },
    E,
  >(
    compute: Computation<D, R, E>,
  ) =>
  (data: D, alternative: Alternative = 'twoSided'): Outcome<Value> => {
    const key = { twoSided: 'pValue', greater: 'pValueGreater', less: 'pValueLess' } as const;
    return numberOf(compute, (test) => test[key[alternative]])(data);
  };

/** Reads both limits; null for one that the test cannot give is refused as INVALID_INPUT. */
export const intervalOf =
  <D, R, E>(
    compute: Computation<D, R, E>,
    read: (numbers: R) => readonly [lower: number | null, upper: number | null],
  ) =>
  (data: D, alpha: number): Outcome<Interval> => {
    const outcome = compute(data, alpha);
    if (outcome.status !== 'ok') return refuse(outcome.status);
    const [lower, upper] = read(outcome);
    if (lower === null || upper === null) return refuse('INVALID_INPUT');
    return { status: 'ok', lower, upper };
  };

/** The answers of a test of a difference T − C by Student's t. */
interface DifferenceAnswers<D> {
  /** T − C in the metric's unit, also where there is no variance to test it with. */
  readonly estimate: (data: D) => Outcome<Value>;
  /** Of T − C, > 0. */
  readonly standardError: (data: D) => Outcome<Value>;
  /** 0…1: that T − C is 0. */
  readonly pValue: (data: D, alternative?: Alternative) => Outcome<Value>;
  /** Of T − C; leaves 0 out exactly when the two-sided p < alpha. */
  readonly interval: (data: D, alpha: number) => Outcome<Interval>;
}

/** All four questions of a test of a difference by Student's t. */
export const differenceOf = <D>(
  test: Computation<D, MeanDifference, DifferenceOnly>,
): DifferenceAnswers<D> => ({
  estimate: survivingNumberOf(test, ({ diff }) => diff),
  standardError: numberOf(test, ({ se }) => se),
  pValue: tailsOf(test),
  interval: intervalOf(test, ({ lower, upper }) => [lower, upper]),
});
