import { ERRORS, type ErrorCode, type FieldError, type Problem } from '@assay/contract';
import { hasZodFastifySchemaValidationErrors } from '@fastify/type-provider-zod';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../errors.ts';
import { isUnavailable } from '../platform/postgres.ts';

/** Codes of Fastify's own errors, and of its parsers, in the closed table's words. */
const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_BAD_URL: 'malformed_request',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
  FST_ERR_ASYNC_CONSTRAINT: 'malformed_request',
};

interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[] | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** Turns everything that a request can fail with into `application/problem+json` (RFC 9457). */
export function registerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const failure = toFailure(error);
    if (failure.code === 'internal') request.log.error({ err: error }, 'request failed');
    else if (ERRORS[failure.code].status >= 500) {
      request.log.warn({ code: failure.code, cause: error.message }, 'request not served');
    }
    return sendProblem(request, reply, failure);
  });
  app.setNotFoundHandler((request, reply) => {
    const allowed = allowedMethods(app, request);
    if (allowed.length > 0) {
      reply.header('allow', allowed.join(', '));
      const detail = `${request.url.split('?')[0]} takes ${allowed.join(', ')}`;
      return sendProblem(request, reply, { code: 'method_not_allowed', detail });
    }
    const detail = `There is no ${request.method} ${request.url.split('?')[0]?.slice(0, 200)}`;
    return sendProblem(request, reply, { code: 'not_found', detail });
  });
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

function allowedMethods(app: FastifyInstance, request: FastifyRequest): readonly string[] {
  const url = request.url.split('?')[0] ?? '/';
  return METHODS.filter(
    (method) => app.findRoute({ method, url }) !== null && method !== request.method,
  );
}

/** Sends a failure that the error handler does not see, such as one before routing. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  failure: Failure,
): FastifyReply {
  const { status } = ERRORS[failure.code];
  const retryAfter = failure.retryAfterSeconds ?? (status === 503 ? 1 : undefined);
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  if (failure.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  return reply
    .status(status)
    .header('content-type', 'application/problem+json')
    .serializer(JSON.stringify)
    .send(toProblem(failure, request.id));
}

/** The body of an error answer. */
export function toProblem({ code, detail, errors }: Failure, requestId: string): Problem {
  return {
    type: `https://assay.dev/errors/${code}`,
    title: ERRORS[code].title,
    status: ERRORS[code].status,
    detail,
    code,
    request_id: requestId,
    ...(errors === undefined ? {} : { errors: [...errors] }),
  };
}

function toFailure(error: FastifyError | DomainError): Failure {
  if (error instanceof DomainError) {
    const { code, message, errors, retryAfterSeconds } = error;
    return { code, detail: message, errors, retryAfterSeconds };
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = error.validation.flatMap(toFieldErrors);
    const [first] = errors;
    return {
      code: 'invalid',
      detail: first === undefined ? error.message : describe(first),
      errors,
    };
  }
  const known = FRAMEWORK_CODES[error.code ?? ''];
  if (known !== undefined) return { code: known, detail: error.message };
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
