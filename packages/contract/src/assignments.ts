import { z } from 'zod';
import { Context, Key, UserId } from './common.ts';

export const AssignmentQuery = z.strictObject({
  force_refresh: z.enum(['true', 'false']).optional(),
});

export const AssignmentRequest = z
  .strictObject({ user_id: UserId, context: Context.optional() })
  .meta({ id: 'AssignmentRequest' });

export const AssignmentsRequest = z
  .strictObject({
    user_id: UserId,
    context: Context.optional(),
    experiments: z.array(Key).max(100).optional(),
  })
  .meta({ id: 'AssignmentsRequest' });

export const Assignment = z
  .object({
    experiment_id: z.number().int(),
    experiment_key: z.string(),
    user_id: z.string(),
    variant: z
      .object({
        id: z.number().int(),
        key: z.string(),
        name: z.string(),
        config: z.record(z.string(), z.unknown()),
      })
      .nullable(),
    source: z.enum(['hash', 'db', 'override', 'forced', 'reported']).nullable(),
    reason: z.enum([
      'assigned',
      'not_running',
      'not_targeted',
      'outside_coverage',
      'in_holdout',
      'layer_taken',
    ]),
    version: z.number().int(),
    bucket: z.number().int(),
    assigned_at: z.string().nullable(),
    persisted: z.boolean(),
  })
  .meta({ id: 'Assignment' });
export type Assignment = z.infer<typeof Assignment>;

export const Assignments = z
  .object({ assignments: z.array(Assignment) })
  .meta({ id: 'Assignments' });
