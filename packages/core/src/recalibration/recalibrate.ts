import type { ArmData } from '../analysis/types.ts';
import { BUCKETS, bucketOf } from '../assignment/buckets.ts';
import { armsOfEvents } from './arm-of-events.ts';
import { armsOfValues } from './arm-of-values.ts';
import { concludeBy, pooledValue } from './conclude.ts';
import { count, emptyTally, type Tally, verdictOf } from './tally.ts';
import type {
  Conclude,
  MetricCalibration,
  MetricOfUsers,
  Population,
  RecalibrationOptions,
} from './types.ts';

const ARMS = 2;

type ArmsOf = (armOf: Uint8Array, arms: number) => readonly ArmData[];

const armsOf = (metric: MetricOfUsers, alpha: number): ArmsOf =>
  metric.kind === 'quantile' ? armsOfEvents(metric, alpha) : armsOfValues(metric);

const usersOf = (metric: MetricOfUsers, ids: readonly string[]): number =>
  metric.kind === 'quantile' ? metric.users : ids.length;

/** Users who are split in one step. */
const STEP_USERS = 5_000;

/** Writes the arms of the users of one step in one split: 0 is the control. */
function splitSome(
  ids: readonly string[],
  from: number,
  { seed, controlBuckets }: Pick<RecalibrationOptions, 'seed' | 'controlBuckets'>,
  armOf: Uint8Array,
): void {
  const to = Math.min(ids.length, from + STEP_USERS);
  for (let user = from; user < to; user++) {
    armOf[user] = bucketOf(ids[user] ?? '', seed) < controlBuckets ? 0 : 1;
  }
}

/** Of the first `users`, the share in each arm. */
function sharesOf(armOf: Uint8Array, users: number): readonly number[] {
  let treated = 0;
  for (let user = 0; user < users; user++) treated += armOf[user] ?? 0;
  return [1 - treated / users, treated / users];
}

/**
 * Measures how often a method errs about these users: they are split over and over by the hash that
 * assigns users, into a control and a treatment that nothing tells apart, and each split is analysed.
 * A randomisation test of the test itself (Fisher 1935, §21): users and events are given, only the
 * split is chance. Equal input gives equal output.
 *
 * A generator, so that whoever runs it may do something else between its steps of a few milliseconds.
 *
 * @param conclude how two arms are compared; as the analysis does, unless a test of this one says otherwise
 * @returns yields how many splits are done, after each step; returns one entry for each metric
 */
export function* recalibrate(
  { ids, metrics }: Population,
  options: RecalibrationOptions,
  conclude: Conclude = concludeBy(options.analysis),
): Generator<number, readonly MetricCalibration[]> {
  const { analysis, splits, seed } = options;
  const controlBuckets = Math.min(BUCKETS - 1, Math.max(1, options.controlBuckets));
  const armOf = new Uint8Array(ids.length);
  const prepared: { metric: MetricOfUsers; arms: ArmsOf; tally: Tally }[] = [];
  for (const metric of metrics) {
    const arms = armsOf(metric, analysis.alpha);
    const [all] = arms(armOf, 1);
    const tally = emptyTally({
      key: metric.key,
      users: usersOf(metric, ids),
      pooled: all === undefined ? null : pooledValue(metric, all, analysis),
      isQuantile: metric.kind === 'quantile',
    });
    prepared.push({ metric, arms, tally });
    yield 0;
  }
  for (let done = 0; done < splits; done++) {
    for (let from = 0; from < ids.length; from += STEP_USERS) {
      splitSome(ids, from, { seed: `${seed}/${done}`, controlBuckets }, armOf);
      yield done;
    }
    for (const { metric, arms, tally } of prepared) {
      const [control, treatment] = arms(armOf, ARMS);
      const finding = control && treatment ? conclude(metric, [control, treatment]) : null;
      count(tally, finding, sharesOf(armOf, tally.users));
      yield done;
    }
  }
  const calibrations: MetricCalibration[] = [];
  for (const { tally } of prepared) {
    calibrations.push(verdictOf(tally, options));
    yield splits;
  }
  return calibrations;
}
