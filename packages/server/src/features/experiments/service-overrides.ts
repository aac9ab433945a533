import { DomainError, invalidField } from '../../errors.ts';
import { inTransaction } from '../../platform/postgres.ts';
import type { Actor } from '../audit/service.ts';
import { showChange } from '../snapshot/service.ts';
import { auditExperiment, type ExperimentDeps, lockExperiment } from './service.ts';
import { deleteOverride, findOverride, upsertOverride } from './store.ts';

/**
 * Forces a variant on a user, for trying it out; neither stored as an assignment nor counted.
 *
 * @throws DomainError `invalid` for a variant that the experiment has not, `experiment_not_found`
 */
export async function setOverride(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  userId: string,
  variantKey: string,
): Promise<{ experiment_id: number; user_id: string; variant: string }> {
  const override = await inTransaction(deps.db, async (tx) => {
    const record = await lockExperiment(tx, ref, undefined);
    const variant = record.variants.find(({ key }) => key === variantKey);
    if (variant === undefined) {
      const keys = record.variants.map(({ key }) => key).join(', ');
      throw invalidField('variant', `must be one of ${keys}`);
    }
    const replaced = await findOverride(tx, record.id, userId);
    await upsertOverride(tx, record.id, userId, variant.id);
    const after = { experiment_id: record.id, user_id: userId, variant: variantKey };
    const before = replaced === undefined ? null : { ...after, variant: replaced };
    await auditExperiment(tx, actor, record.id, 'override.set', before, after);
    return after;
  });
  await showChange(deps);
  return override;
}

/** @throws DomainError `override_not_found`, `experiment_not_found` */
export async function removeOverride(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  userId: string,
): Promise<void> {
  await inTransaction(deps.db, async (tx) => {
    const record = await lockExperiment(tx, ref, undefined);
    const variant = await findOverride(tx, record.id, userId);
    if (variant === undefined) throw new DomainError('override_not_found');
    await deleteOverride(tx, record.id, userId);
    const before = { experiment_id: record.id, user_id: userId, variant };
    await auditExperiment(tx, actor, record.id, 'override.removed', before, null);
  });
  await showChange(deps);
}
