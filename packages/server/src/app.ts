import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import { serializerCompiler, validatorCompiler } from '@fastify/type-provider-zod';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  LogController,
} from 'fastify';
import type { CdcStatus } from './cdc/status.ts';
import type { Deps } from './deps.ts';
import { assignmentRoutes } from './features/assignments/routes.ts';
import type { AssignmentWriter } from './features/assignments/writer.ts';
import { eventRoutes } from './features/events/routes.ts';
import type { EventWriter } from './features/events/writer.ts';
import { experimentRoutes } from './features/experiments/routes.ts';
import { exposureRoutes } from './features/exposures/routes.ts';
import type { ExposureWriter } from './features/exposures/writer.ts';
import { operationRoutes } from './features/operations/routes.ts';
import { resultRoutes } from './features/results/routes.ts';
import type { LiveSnapshot } from './features/snapshot/snapshot.ts';
import { tokenRoutes } from './features/tokens/routes.ts';
import { findPrincipal } from './features/tokens/service.ts';
import { registerAuth } from './http/auth.ts';
import { registerErrors, sendProblem, toProblem } from './http/errors.ts';
import { registerHttpMetrics } from './http/metrics.ts';
import { registerOpenApi } from './http/openapi.ts';

/** Everything that the API needs of its process. */
export interface AppDeps extends Deps {
  readonly snapshot: LiveSnapshot;
  readonly assignments: AssignmentWriter;
  readonly events: EventWriter;
  readonly exposures: ExposureWriter;
  /** State of the change data capture, where this process runs it. */
  readonly cdcStatus?: (() => CdcStatus) | undefined;
}

const BODY_BYTES_MAX = 1024 * 1024;
// A user id of 256 bytes, each percent-encoded, is 768 characters.
const PARAM_LENGTH_MAX = 1_024;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The whole API as an object that serves requests; it opens no port and reads no environment. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'ignore',
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    frameworkErrors: (error, request, reply) => {
      const code = error.code === 'FST_ERR_MAX_PARAM_LENGTH' ? 'uri_too_long' : 'malformed_request';
      sendProblem(request, reply, { code, detail: error.message });
    },
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ECONNRESET' || socket.destroyed) return;
      const code = error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'malformed_request';
      const body = JSON.stringify(
        toProblem({ code, detail: 'The request cannot be read' }, randomUUID()),
      );
      const status =
        code === 'headers_too_large' ? '431 Request Header Fields Too Large' : '400 Bad Request';
      socket.end(
        `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    },
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  registerErrors(app);
  registerHttpMetrics(app, deps.metrics);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
    done();
  });
  registerAuth(app, {
    findPrincipal: (hash) => findPrincipal(deps, hash),
    failuresPerMinute: deps.config.rateLimitAuthFailures,
    requestsPerMinute: deps.config.rateLimitPerMinute,
    now: deps.now,
  });
  await registerOpenApi(app);
  await app.register(operationRoutes, { deps });
  // A process that only works in the background still says how it is.
  if (deps.config.roles.includes('api')) await registerApi(app, deps);
  await app.ready();
  return app;
}

async function registerApi(app: FastifyInstance, deps: AppDeps): Promise<void> {
  await app.register(experimentRoutes, { deps });
  await app.register(tokenRoutes, { deps });
  await app.register(clientRoutes, { deps });
  await app.register(resultRoutes, { deps });
}

/** What a browser may call with a client token, and so all that is open to other origins. */
const clientRoutes: FastifyPluginAsync<{ deps: AppDeps }> = async (scope, { deps }) => {
  const { corsOrigins } = deps.config;
  await scope.register(cors, {
    origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
    methods: ['GET', 'POST'],
    exposedHeaders: ['x-request-id'],
    maxAge: 600,
  });
  await scope.register(assignmentRoutes, { deps });
  await scope.register(exposureRoutes, { deps });
  await scope.register(eventRoutes, { deps });
};
