import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ERRORS, type ErrorCode } from '@assay/contract';
import { toProblem } from './problem.ts';

/** What Node says of a request that it cannot parse. */
interface ClientError extends Error {
  readonly code?: string | undefined;
  /** The bytes that could not be parsed; the framework's type for it is not what Node passes. */
  readonly rawPacket?: unknown;
}

/** With a request line of this length it is the address that leaves headers no room. */
const LONG_REQUEST_LINE = /^[A-Z]+ [^\n]{8192}/;

function toCode({ code, rawPacket }: ClientError): ErrorCode {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  if (code !== 'HPE_HEADER_OVERFLOW') return 'malformed_request';
  const isAddress = Buffer.isBuffer(rawPacket) && LONG_REQUEST_LINE.test(rawPacket.toString());
  return isAddress ? 'uri_too_long' : 'headers_too_large';
}

/** Answers a request that never became one, on the bare socket: Fastify does not see it. */
export function answerClientError(error: ClientError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  const code = toCode(error);
  const id = randomUUID();
  const body = JSON.stringify(toProblem({ code, detail: ERRORS[code].title }, id));
  const { status } = ERRORS[code];
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${id}`,
      'Cache-Control: no-store',
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
