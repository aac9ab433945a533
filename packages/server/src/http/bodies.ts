import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DomainError } from '../errors.ts';

/**
 * The text of a body. A byte that is no UTF-8 must not become another character without a word: users
 * whose ids differ in it would become one.
 */
export function textOf({ headers }: FastifyRequest, body: Buffer): string {
  const charset = /charset="?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) {
    throw new DomainError(
      'unsupported_media_type',
      `The charset ${charset} is not taken; send UTF-8`,
    );
  }
  if (!isUtf8(body)) throw new DomainError('malformed_request', 'The body is not valid UTF-8');
  return body.toString('utf8');
}

/**
 * What a body may be: JSON. Many clients declare a content type on every request, also on those
 * without a body such as `POST …/start`; there it means nothing, so it is not held against them.
 * A route that does need a body says so itself.
 */
export function registerBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('remove', 'ignore');
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      if (body.length === 0) {
        done(null, undefined);
        return;
      }
      let text: string;
      try {
        text = textOf(request, body);
      } catch (error) {
        done(error as Error);
        return;
      }
      // It answers through `done`; a promise is what other parsers return.
      void parseJson(request, text, done);
    },
  );
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('*', ({ headers }, _payload, done) => {
    const length = headers['content-length'] ?? '0';
    if (length === '0' && headers['transfer-encoding'] === undefined) done(null, undefined);
    else {
      const type = headers['content-type']?.slice(0, 100);
      done(new DomainError('unsupported_media_type', `"${type}" is not taken; send JSON`));
    }
  });
}
