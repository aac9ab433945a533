import type { FastifyInstance } from 'fastify';
import { DomainError } from '../errors.ts';

/**
 * What a body may be: JSON. Many clients declare a content type on every request, also on those
 * without a body such as `POST …/start`; there it means nothing, so it is not held against them.
 * A route that does need a body says so itself.
 */
export function registerBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('remove', 'ignore');
  app.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request, body, done) => {
      if (body === '') done(null, undefined);
      // It answers through `done`; a promise is what other parsers return.
      else void parseJson(request, body, done);
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
