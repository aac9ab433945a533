/** The states of an experiment. */
export const EXPERIMENT_STATUSES = [
  'draft',
  'scheduled',
  'running',
  'paused',
  'stopped',
  'archived',
] as const;
export type ExperimentStatus = (typeof EXPERIMENT_STATUSES)[number];

/** What can be done to an experiment; `schedule` is a start whose time has not come. */
export type LifecycleAction = 'schedule' | 'start' | 'pause' | 'resume' | 'stop' | 'archive';

/**
 * Where each action leads from each state, null where it is not allowed. The table is total: a
 * missing cell does not compile. Stopping a scheduled experiment takes its schedule back; a stopped
 * one never runs again, because its users and its results belong to one run (clone it instead).
 */
export const TRANSITIONS: Readonly<
  Record<ExperimentStatus, Readonly<Record<LifecycleAction, ExperimentStatus | null>>>
> = {
  draft: {
    schedule: 'scheduled',
    start: 'running',
    pause: null,
    resume: null,
    stop: null,
    archive: 'archived',
  },
  scheduled: {
    schedule: 'scheduled',
    start: 'running',
    pause: null,
    resume: null,
    stop: 'draft',
    archive: null,
  },
  running: {
    schedule: null,
    start: null,
    pause: 'paused',
    resume: null,
    stop: 'stopped',
    archive: null,
  },
  paused: {
    schedule: null,
    start: null,
    pause: null,
    resume: 'running',
    stop: 'stopped',
    archive: null,
  },
  stopped: {
    schedule: null,
    start: null,
    pause: null,
    resume: null,
    stop: null,
    archive: 'archived',
  },
  archived: {
    schedule: null,
    start: null,
    pause: null,
    resume: null,
    stop: null,
    archive: null,
  },
};

/** The actions that are allowed in a state, for messages and buttons. */
export function allowedActions(status: ExperimentStatus): readonly LifecycleAction[] {
  const row = TRANSITIONS[status];
  return (Object.keys(row) as LifecycleAction[]).filter((action) => row[action] !== null);
}
