import { ERRORS, type ErrorCode, type FieldError, type Problem } from '@assay/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { setCommonHeaders } from './headers.ts';

/** What a request failed with, in the words of the closed table. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[] | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** Answers a failure; also one that came before the hooks that set what every answer has. */
export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  failure: Failure,
): FastifyReply {
  const { status } = ERRORS[failure.code];
  const retryAfter = failure.retryAfterSeconds ?? (status === 503 ? 1 : undefined);
  setCommonHeaders(request, reply);
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  if (failure.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  return reply
    .status(status)
    .header('content-type', 'application/problem+json')
    .serializer(JSON.stringify)
    .send(toProblem(failure, request.id));
}

/** The body of an error answer (RFC 9457). */
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
