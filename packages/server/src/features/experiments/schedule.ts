import type { Deps } from '../../deps.ts';
import type { Actor } from '../audit/service.ts';
import { changeStatusWhenDue } from './service.ts';
import { listDue } from './store.ts';

const ACTOR: Actor = { name: 'schedule', requestId: null };

/**
 * Starts and stops what is due. Any number of workers may do it: each asks again under the
 * experiment's lock, so only one of them finds it still due. API processes hear of the change by
 * notification.
 */
export async function runSchedule(deps: Pick<Deps, 'db' | 'now' | 'log'>): Promise<void> {
  for (const { key, action } of await listDue(deps.db)) {
    try {
      const isDone = await changeStatusWhenDue(deps, ACTOR, key, action);
      if (isDone) deps.log.info({ experiment: key, action }, 'done on schedule');
    } catch (error) {
      // One that cannot be changed now must not hold up the others; the next round tries again.
      const { message } = error as Error;
      deps.log.warn({ experiment: key, action, error: message }, 'not done on schedule');
    }
  }
}
