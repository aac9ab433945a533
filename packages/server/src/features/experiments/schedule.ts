import type { Deps } from '../../deps.ts';
import { DomainError } from '../../errors.ts';
import { changeStatus } from './service.ts';
import { listDue } from './store.ts';

const ACTOR = { name: 'schedule', requestId: null };

/**
 * Starts and stops what is due. Any number of workers may do it: the transition table lets only
 * one of them through for each experiment.
 */
export async function runSchedule(deps: Pick<Deps, 'db' | 'now' | 'log'>): Promise<void> {
  // API processes hear of the change by notification.
  const snapshot = { refresh: async () => {} };
  for (const { key, action } of await listDue(deps.db)) {
    try {
      await changeStatus({ ...deps, snapshot }, ACTOR, key, action, undefined);
      deps.log.info({ experiment: key, action }, 'done on schedule');
    } catch (error) {
      const isTaken = error instanceof DomainError && error.code === 'transition_not_allowed';
      if (!isTaken) throw error;
    }
  }
}
