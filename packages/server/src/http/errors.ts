import { ERRORS, type ErrorCode, type FieldError } from '@assay/contract';
import { hasZodFastifySchemaValidationErrors } from '@fastify/type-provider-zod';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../errors.ts';
import { isContention, isUnavailable } from '../platform/postgres.ts';
import { type Failure, sendProblem } from './problem.ts';

/** Codes of Fastify's own errors, and of its parsers, in the closed table's words. */
const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_BAD_URL: 'malformed_request',
  FST_ERR_ASYNC_CONSTRAINT: 'malformed_request',
};

/** Turns everything that a request can fail with into `application/problem+json` (RFC 9457). */
export function registerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const failure = toFailure(error, request);
    const { id, log, method, routeOptions } = request;
    const said = { request_id: id, method, route: routeOptions.url };
    if (failure.code === 'internal') log.error({ ...said, err: error }, 'request failed');
    else if (ERRORS[failure.code].status >= 500) {
      log.warn({ ...said, code: failure.code, cause: error.message }, 'request not served');
    }
    return sendProblem(request, reply, failure);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request);
    const allowed = METHODS.filter(
      (method) => method !== request.method && app.findRoute({ method, url: path }) !== null,
    );
    if (allowed.length > 0) {
      reply.header('allow', allowed.join(', '));
      const detail = `${shown(path)} takes ${allowed.join(', ')}`;
      return sendProblem(request, reply, { code: 'method_not_allowed', detail });
    }
    const detail = `There is no ${request.method} ${shown(path)}`;
    return sendProblem(request, reply, { code: 'not_found', detail });
  });
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? '/';

const PATH_SHOWN_MAX = 200;
const shown = (path: string): string =>
  path.length > PATH_SHOWN_MAX ? `${path.slice(0, PATH_SHOWN_MAX)}…` : path;

/** Answers what Fastify refuses before it has a route, where the error handler is not asked. */
export function answerFrameworkError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const failure: Failure =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? { code: 'uri_too_long', detail: 'A part of the address is too long' }
      : { code: 'malformed_request', detail: 'The address is not valid percent-encoded UTF-8' };
  sendProblem(request, reply, failure);
}

function toFailure(error: FastifyError | DomainError, request: FastifyRequest): Failure {
  if (error instanceof DomainError) {
    const { code, message, errors, retryAfterSeconds } = error;
    return { code, detail: message, errors, retryAfterSeconds };
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    // Nothing was sent, so there is no field to name; `null` sent as JSON is a body.
    if (error.validationContext === 'body' && request.body === undefined) {
      return { code: 'malformed_request', detail: 'The request has no body, but needs one' };
    }
    const errors = error.validation.flatMap(toFieldErrors);
    const [first] = errors;
    const detail = first === undefined ? error.message : describe(first);
    return { code: 'invalid', detail, errors };
  }
  const known = FRAMEWORK_CODES[error.code ?? ''];
  if (known !== undefined) return { code: known, detail: error.message };
  if (isContention(error)) {
    return { code: 'overloaded', detail: 'The database is busy with this now; try again' };
  }
  if (isUnavailable(error)) {
    return { code: 'unavailable', detail: 'The database cannot be reached now' };
  }
  // JSON that cannot be parsed arrives as a SyntaxError with status 400.
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return { code: 'malformed_request', detail: error.message };
  }
  return { code: 'internal', detail: ERRORS.internal.title };
}

/** An issue of zod as its provider hands it on: the path is a JSON pointer. */
interface Issue {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message?: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
}

/** An unknown field is named by its own path, not by the object that holds it. */
function toFieldErrors({ keyword, instancePath, message, params }: Issue): readonly FieldError[] {
  const path = instancePath.split('/').filter((part) => part !== '');
  if (keyword === 'unrecognized_keys' && Array.isArray(params.keys)) {
    return params.keys.map((key) => ({
      path: [...path, String(key)].join('.'),
      message: 'is not a known field',
    }));
  }
  return [{ path: path.join('.'), message: message ?? 'is not valid' }];
}

const describe = ({ path, message }: FieldError): string =>
  path === '' ? message : `${path}: ${message}`;
