import type { Deps } from '../deps.ts';
import { runSchedule } from '../features/experiments/schedule.ts';
import type { Repeating } from './repeat.ts';
import { repeat } from './repeat.ts';

const INTERVAL_MS = 1_000;

/** Starts and stops experiments on their times, until it is stopped. */
export function startSchedule(deps: Pick<Deps, 'db' | 'now' | 'log'>): Repeating {
  return repeat('schedule', INTERVAL_MS, deps.log, () => runSchedule(deps));
}
