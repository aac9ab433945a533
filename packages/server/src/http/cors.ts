import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const EXPOSED_HEADERS = 'X-Request-Id, Retry-After';
const ALLOWED_METHODS = 'GET, POST';
const PREFLIGHT_SECONDS = '600';
const HEADER_NAMES = /^[\w\-, ]{1,1000}$/;

/**
 * Opens to other origins what a browser may call with a client token: the routes that assign or
 * ingest. To everything else a browser applies its same-origin rule. Written here because the
 * usual plugin builds its options anew for every request, a fifteenth of the time of an answer
 * from memory.
 *
 * @param origins those that are let in; `*` lets in all of them
 */
export function registerCors(app: FastifyInstance, origins: readonly string[]): void {
  const letsInAll = origins.includes('*');
  const known = new Set(origins);
  const allow = (origin: string, reply: FastifyReply): void => {
    // Nobody keeps these answers (no-store), yet what they depend on belongs into them.
    reply.header('vary', 'Origin');
    if (!letsInAll && !known.has(origin)) return;
    reply.header('access-control-allow-origin', letsInAll ? '*' : origin);
    reply.header('access-control-expose-headers', EXPOSED_HEADERS);
  };

  const patterns = new Set<string>();
  app.addHook('onRoute', ({ url, config }) => {
    if (isForClients(config?.permission)) patterns.add(url.replace(/:\w+/g, '[^/]+'));
  });
  let paths = /$^/;
  app.addHook('onReady', (done) => {
    paths = new RegExp(`^(?:${[...patterns].join('|')})(?:\\?|$)`);
    done();
  });

  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (origin !== undefined && isForClients(request.routeOptions.config.permission)) {
      allow(origin, reply);
    }
    done();
  });
  // A preflight has no route of its own, so its path must say which one it asks about.
  const preflight = { schema: { hide: true }, config: { permission: 'public' } } as const;
  app.options('*', preflight, (request: FastifyRequest, reply) => {
    if (!paths.test(request.url)) return reply.callNotFound();
    const { origin, 'access-control-request-headers': headers } = request.headers;
    if (origin !== undefined) allow(origin, reply);
    reply.header('access-control-allow-methods', ALLOWED_METHODS);
    reply.header('access-control-max-age', PREFLIGHT_SECONDS);
    if (headers !== undefined && HEADER_NAMES.test(headers)) {
      reply.header('access-control-allow-headers', headers);
    }
    return reply.status(204).send();
  });
}

const isForClients = (permission: string | undefined): boolean =>
  permission === 'assign' || permission === 'ingest';
