import { isUuid } from '@assay/core';
import { z } from 'zod';
import {
  CONTEXT_BYTES_MAX,
  EventType,
  ExperimentRef,
  FieldErrorList,
  Instant,
  jsonText,
  Key,
  UserId,
} from './common.ts';

export const ITEMS_MAX = 1_000;
export const PROPERTIES_BYTES_MAX = 16_384;

/** Squares of sums of values must stay numbers, in single precision too. */
export const VALUE_MAX = 1e30;

/** An experiment by its key, or by its id as text or as a number. */
const ItemExperiment = z.union([ExperimentRef, z.number().int().positive().transform(String)], {
  error: 'must be the id or the key of an experiment',
});

/** An event as a client sends it. */
export const EventInput = z
  .strictObject({
    event_id: z
      .string()
      .refine(isUuid, { error: 'must be a UUID' })
      .transform((id) => id.toLowerCase()),
    user_id: UserId,
    type: EventType,
    timestamp: Instant.optional(),
    value: z.number().min(-VALUE_MAX).max(VALUE_MAX).nullable().optional(),
    properties: jsonText(PROPERTIES_BYTES_MAX).optional(),
    experiment: ItemExperiment.nullable().optional(),
  })
  .meta({ id: 'EventInput' });
export type EventInput = z.infer<typeof EventInput>;

/** A variant that a client decided for a user by itself, and when the user met it. */
export const ExposureInput = z
  .strictObject({
    experiment: ItemExperiment,
    user_id: UserId,
    variant: Key,
    timestamp: Instant.optional(),
    context: jsonText(CONTEXT_BYTES_MAX).optional(),
  })
  .meta({ id: 'ExposureInput' });
export type ExposureInput = z.infer<typeof ExposureInput>;

// Items are checked one by one, since a bad one must not spoil its batch.
export const EventsRequest = z
  .strictObject({ events: z.array(z.unknown()).min(1).max(ITEMS_MAX) })
  .meta({ id: 'EventsRequest' });
export const ExposuresRequest = z
  .strictObject({ exposures: z.array(z.unknown()).min(1).max(ITEMS_MAX) })
  .meta({ id: 'ExposuresRequest' });

/** Why an item was rejected; the table is closed. */
export const REJECTIONS = {
  invalid_item: 'A field is missing, unknown or has a value that is not allowed',
  timestamp_required: 'An event without a timestamp needs a UUIDv7 as event_id',
  timestamp_out_of_window: 'The time is outside the window of accepted times',
  unknown_experiment: 'There is no such experiment',
  unknown_variant: 'The experiment has no such variant',
  not_started: 'The experiment has not been started, or is archived',
  before_start: 'The time is before the start of the experiment, which needs an editor token',
  assignment_conflict: 'The user has another variant, or the hash never gives this one',
} as const satisfies Record<string, string>;
export type RejectionCode = keyof typeof REJECTIONS;
const RejectionCodes = z.enum(Object.keys(REJECTIONS) as [RejectionCode, ...RejectionCode[]]);

const itemResult = {
  index: z.number().int(),
  status: z.enum(['accepted', 'duplicate', 'rejected']),
  code: RejectionCodes.optional(),
  message: z.string().optional(),
  errors: FieldErrorList.optional(),
};

const counts = {
  accepted: z.number().int(),
  duplicates: z.number().int(),
  rejected: z.number().int(),
};

export const EventsResponse = z
  .object({
    ...counts,
    results: z.array(z.object({ ...itemResult, event_id: z.string().nullable() })),
  })
  .meta({ id: 'EventsResponse' });
export type EventsResponse = z.infer<typeof EventsResponse>;

export const ExposuresResponse = z
  .object({ ...counts, results: z.array(z.object(itemResult)) })
  .meta({ id: 'ExposuresResponse' });
export type ExposuresResponse = z.infer<typeof ExposuresResponse>;
