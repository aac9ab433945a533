import { type RunDeps, runCalibrations } from '../features/calibration/run.ts';
import { queueDaily } from '../features/calibration/service.ts';
import { type Repeating, repeat } from './repeat.ts';

/** How long a calibration that was asked for may wait for a worker that has nothing to do. */
const INTERVAL_MS = 2_000;
const DAILY_INTERVAL_MS = 600_000;

/** Runs calibrations that are asked for, and one a day by itself, until it is stopped. */
export function startCalibration(deps: RunDeps): Repeating {
  const controller = new AbortController();
  const running = repeat('calibration', INTERVAL_MS, deps.log, () =>
    runCalibrations(deps, controller.signal),
  );
  const daily = repeat('daily calibration', DAILY_INTERVAL_MS, deps.log, () => queueDaily(deps));
  return {
    async stop() {
      controller.abort();
      await Promise.all([running.stop(), daily.stop()]);
    },
  };
}
