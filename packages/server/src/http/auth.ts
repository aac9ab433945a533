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
  /** Who the token with this SHA-256 (hex) belonged to when memory was last renewed. */
  readonly recall: (hash: string) => Principal | undefined;
  /** False while memory may have missed a change, so that the store has to be asked. */
  readonly isRecallCertain: () => boolean;
  /** Who the token belongs to now. */
  readonly lookUp: (hash: string) => Promise<Principal | undefined>;
  /** Failed attempts that one address may make in a minute; 0: no limit. */
  readonly failuresPerMinute: number;
  /** Requests that one token may make in a minute; 0: no limit. */
  readonly requestsPerMinute: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const MINUTE_MS = 60_000;
const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

/** Comes from this machine, and not through a proxy on it that stands for the whole world. */
const isLocal = ({ ip, headers }: FastifyRequest): boolean =>
  LOOPBACK.has(ip) && headers['x-forwarded-for'] === undefined && headers.forwarded === undefined;

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
    if (/^\/docs(\/|$)/.test(route.url)) route.config = { ...route.config, permission: 'public' };
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
    requests.check(String(principal.tokenId));
    requests.count(String(principal.tokenId));
    request.principal = principal;
  };

  app.addHook('onRequest', (request, _reply, done) => {
    const permission = request.routeOptions.config.permission ?? 'public';
    if (permission === 'public' || (permission === 'metrics' && isLocal(request))) {
      done();
      return;
    }
    const { authorization } = request.headers;
    if (authorization === undefined || !/^bearer /i.test(authorization)) {
      throw new DomainError('unauthorized', 'Send "Authorization: Bearer <token>"');
    }
    const token = authorization.slice('bearer '.length).trim();
    const known = hashes.get(token);
    const hash = known ?? hashToken(token);
    const recalled = options.recall(hash);
    // Only who is not known is slowed down: behind a proxy everybody has the same address, and
    // one who guesses must not lock all of them out.
    if (recalled === undefined) failures.check(request.ip);
    else if (known === undefined) hashes.set(token, hash);
    if (options.isRecallCertain()) {
      admit(request, recalled, permission);
      done();
      return;
    }
    options
      .lookUp(hash)
      .then((principal) => admit(request, principal, permission))
      .then(() => done(), done);
  });
}

interface Window {
  /** Throws `too_many_requests` when the limit is reached. */
  readonly check: (key: string) => void;
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
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
  };
}
