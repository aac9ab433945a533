import type { TokenRole } from '@assay/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../errors.ts';
import { hashToken, type Principal } from '../principal.ts';

/** What a route asks of its caller. */
type Permission = 'public' | 'metrics' | 'assign' | 'ingest' | 'read' | 'write' | 'admin';

declare module 'fastify' {
  interface FastifyContextConfig {
    permission?: Permission;
  }
  interface FastifyRequest {
    principal: Principal;
  }
}

const RIGHTS: Readonly<Record<TokenRole, ReadonlySet<Permission>>> = {
  client: new Set<Permission>(['assign', 'ingest']),
  ingest: new Set<Permission>(['ingest']),
  viewer: new Set<Permission>(['read', 'metrics']),
  editor: new Set<Permission>(['assign', 'ingest', 'read', 'write', 'metrics']),
  admin: new Set<Permission>(['assign', 'ingest', 'read', 'write', 'admin', 'metrics']),
};

/** Whether a token of this role may do what a route asks. */
function isAllowed(role: TokenRole, permission: Permission): boolean {
  return permission === 'public' || RIGHTS[role].has(permission);
}

export interface AuthOptions {
  /**
   * Who the token with this SHA-256 (hex) belongs to; undefined when it is unknown or revoked. A
   * promise only where memory cannot be trusted.
   */
  readonly findPrincipal: (hash: string) => Principal | undefined | Promise<Principal | undefined>;
  /** Failed attempts that one address may make in a minute; 0: no limit. */
  readonly failuresPerMinute: number;
  /** Requests that one token may make in a minute; 0: no limit. */
  readonly requestsPerMinute: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const MINUTE_MS = 60_000;
const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

/**
 * Lets a request through to its route only with a token whose role may do what the route asks.
 * Every route says what that is; one that does not fails the start.
 */
export function registerAuth(app: FastifyInstance, options: AuthOptions): void {
  // A hash is a function of the token, so it may be remembered; whom it belongs to may not.
  const hashes = new LRUCache<string, string>({ max: 1_000 });
  const failures = createWindow(options.failuresPerMinute, options.now);
  const requests = createWindow(options.requestsPerMinute, options.now);

  // Set by the hook below; a route that is open to all does not read it.
  app.decorateRequest('principal');
  app.addHook('onRoute', (route) => {
    // The documentation's routes are a plugin's, which cannot say it themselves.
    const isOpen = route.method === 'OPTIONS' || route.url.startsWith('/docs');
    if (isOpen) route.config = { ...route.config, permission: 'public' };
    else if (route.config?.permission === undefined) {
      throw new Error(`route ${route.method} ${route.url} does not say its permission`);
    }
  });

  const admit = (
    request: FastifyRequest,
    principal: Principal | undefined,
    permission: Permission,
  ): void => {
    if (principal === undefined) {
      failures.count(request.ip);
      throw new DomainError('unauthorized', 'The token is unknown or was revoked');
    }
    if (!isAllowed(principal.role, permission)) {
      throw new DomainError(
        'forbidden',
        `A token of role "${principal.role}" may not do this; it needs the right to ${permission}`,
      );
    }
    requests.count(String(principal.tokenId));
    request.principal = principal;
  };

  app.addHook('onRequest', (request, reply, done) => {
    const permission = request.routeOptions.config.permission ?? 'public';
    if (permission === 'public' || (permission === 'metrics' && LOOPBACK.has(request.ip))) {
      done();
      return;
    }
    const { authorization } = request.headers;
    if (authorization === undefined || !/^bearer /i.test(authorization)) {
      reply.header('www-authenticate', 'Bearer');
      throw new DomainError('unauthorized', 'Send "Authorization: Bearer <token>"');
    }
    failures.check(request.ip);
    const token = authorization.slice('bearer '.length).trim();
    let hash = hashes.get(token);
    if (hash === undefined) {
      hash = hashToken(token);
      hashes.set(token, hash);
    }
    const found = options.findPrincipal(hash);
    if (found instanceof Promise) {
      found.then((principal) => admit(request, principal, permission)).then(() => done(), done);
      return;
    }
    admit(request, found, permission);
    done();
  });
}

interface Window {
  /** Throws `too_many_requests` when the limit is reached. */
  readonly check: (key: string) => void;
  /** Checks, then counts one. */
  readonly count: (key: string) => void;
}

/** Counts per key in fixed minutes; bounded in keys. */
function createWindow(limit: number, now: () => number): Window {
  if (limit === 0) return { check: () => {}, count: () => {} };
  const counts = new LRUCache<string, number>({ max: 10_000 });
  let minute = 0;
  const check = (key: string): void => {
    const current = Math.floor(now() / MINUTE_MS);
    if (current !== minute) {
      minute = current;
      counts.clear();
    }
    if ((counts.get(key) ?? 0) >= limit) {
      throw new DomainError('too_many_requests', `More than ${limit} requests in a minute`, {
        retryAfterSeconds: Math.ceil(((minute + 1) * MINUTE_MS - now()) / 1000),
      });
    }
  };
  return {
    check,
    count(key) {
      check(key);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
  };
}
