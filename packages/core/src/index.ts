export {
  BUCKETS,
  type BucketRange,
  bucketOf,
  bucketRanges,
  toHundredths,
} from './assignment/buckets.ts';
export {
  type AssignmentSource,
  type Decision,
  decide,
  type EvaluableExperiment,
  type EvaluableVariant,
  type NotAssignedReason,
  type StoredAssignment,
} from './assignment/decide.ts';
export { murmur3, utf8Length } from './assignment/murmur3.ts';
export {
  allowedActions,
  EXPERIMENT_STATUSES,
  type ExperimentStatus,
  type LifecycleAction,
  TRANSITIONS,
} from './lifecycle/transitions.ts';
export { formatInstant, isUuid, parseInstant, uuidV7Time } from './time/instant.ts';
