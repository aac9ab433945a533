// Every public name of the calibration by an installation's own users.

export { recalibrate } from './recalibrate.ts';
export type {
  EventsOfUsers,
  MetricCalibration,
  MetricOfUsers,
  Population,
  RecalibrationOptions,
  ValuesOfUsers,
} from './types.ts';
