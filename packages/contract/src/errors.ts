import { z } from 'zod';
import { FieldErrorList } from './common.ts';

/**
 * Every error that the API answers: its HTTP status, and what it means. The table is closed; a
 * client may switch over `code`.
 */
export const ERRORS = {
  malformed_request: { status: 400, title: 'The request cannot be read' },
  unauthorized: { status: 401, title: 'A valid bearer token is needed' },
  forbidden: { status: 403, title: 'The token has no right to do this' },
  not_found: { status: 404, title: 'There is no such path' },
  experiment_not_found: { status: 404, title: 'There is no such experiment' },
  calibration_not_found: { status: 404, title: 'There is no such calibration' },
  token_not_found: { status: 404, title: 'There is no such token' },
  metric_not_found: { status: 404, title: 'There is no such metric' },
  snapshot_not_found: { status: 404, title: 'There is no such snapshot' },
  override_not_found: { status: 404, title: 'There is no such override' },
  method_not_allowed: { status: 405, title: 'The path does not take this method' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  key_taken: { status: 409, title: 'The key is in use' },
  transition_not_allowed: { status: 409, title: 'The status does not allow this' },
  immutable_after_start: { status: 409, title: 'This cannot change after the first start' },
  metric_in_use: { status: 409, title: 'An experiment uses the metric' },
  too_many_snapshots: { status: 409, title: 'The experiment has as many snapshots as it can' },
  not_a_draft: { status: 409, title: 'Only a draft can be deleted' },
  version_mismatch: { status: 412, title: 'The resource was changed in the meantime' },
  body_too_large: { status: 413, title: 'The body is too large' },
  uri_too_long: { status: 414, title: 'The address is too long' },
  unsupported_media_type: { status: 415, title: 'The body has a type that is not taken' },
  invalid: { status: 422, title: 'The request is valid JSON but not a valid thing' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  unavailable: { status: 503, title: 'A service that is needed cannot be reached' },
  overloaded: { status: 503, title: 'Too much work is waiting' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;
export const ERROR_CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];

/** RFC 9457, as `application/problem+json`. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.enum(ERROR_CODES),
    request_id: z.string(),
    errors: FieldErrorList.optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;
