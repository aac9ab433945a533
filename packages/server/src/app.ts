import { serializerCompiler, validatorCompiler } from '@fastify/type-provider-zod';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { CdcStatus } from './cdc/status.ts';
import type { Deps } from './deps.ts';
import { assignmentRoutes } from './features/assignments/routes.ts';
import type { AssignmentWriter } from './features/assignments/writer.ts';
import { calibrationRoutes } from './features/calibration/routes.ts';
import { eventRoutes } from './features/events/routes.ts';
import type { EventWriter } from './features/events/writer.ts';
import { experimentRoutes } from './features/experiments/routes.ts';
import { exposureRoutes } from './features/exposures/routes.ts';
import type { ExposureWriter } from './features/exposures/writer.ts';
import { metricRoutes } from './features/metrics/routes.ts';
import { operationRoutes } from './features/operations/routes.ts';
import { powerRoutes } from './features/power/routes.ts';
import { resultSnapshotRoutes } from './features/result-snapshots/routes.ts';
import { resultRoutes } from './features/results/routes.ts';
import type { LiveSnapshot } from './features/snapshot/snapshot.ts';
import { tokenRoutes } from './features/tokens/routes.ts';
import { lookUpPrincipal, recallPrincipal } from './features/tokens/service.ts';
import { registerAuth } from './http/auth.ts';
import { registerBodies } from './http/bodies.ts';
import { answerClientError } from './http/client-errors.ts';
import { registerClosing } from './http/closing.ts';
import { registerCors } from './http/cors.ts';
import { answerFrameworkError, registerErrors } from './http/errors.ts';
import { registerCommonHeaders, requestIdOf } from './http/headers.ts';
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
/** For a request to arrive as a whole; who sends slowly must not hold a connection for ever. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Without a byte in either direction; longer than the slowest answer takes. */
const CONNECTION_TIMEOUT_MS = 120_000;

/** The whole API as an object that serves requests; it opens no port and reads no environment. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { config, log, metrics, snapshot, now } = deps;
  const app = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    onProtoPoisoning: 'remove',
    onConstructorPoisoning: 'ignore',
    // What arrives on an open connection while the process stops is served: nothing is lost.
    return503OnClosing: false,
    genReqId: requestIdOf,
    // A logger of its own for each request costs more than the lines that are ever written.
    childLoggerFactory: (logger) => logger,
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  registerClosing(app);
  registerBodies(app);
  registerErrors(app);
  registerHttpMetrics(app, metrics);
  registerCommonHeaders(app);
  // Before the tokens are checked: a page must be able to read why it was refused.
  registerCors(app, config.corsOrigins);
  registerAuth(app, {
    recall: (hash) => recallPrincipal(deps, hash),
    isRecallCertain: snapshot.isLive,
    lookUp: (hash) => lookUpPrincipal(deps, hash),
    failuresPerMinute: config.rateLimitAuthFailures,
    requestsPerMinute: config.rateLimitPerMinute,
    now,
  });
  await registerOpenApi(app);
  await app.register(operationRoutes, { deps });
  // A process that only works in the background still says how it is.
  if (config.roles.includes('api')) await registerApi(app, deps);
  await app.ready();
  return app;
}

async function registerApi(app: FastifyInstance, deps: AppDeps): Promise<void> {
  await app.register(experimentRoutes, { deps });
  await app.register(metricRoutes, { deps });
  await app.register(tokenRoutes, { deps });
  await app.register(assignmentRoutes, { deps });
  await app.register(exposureRoutes, { deps });
  await app.register(eventRoutes, { deps });
  await app.register(resultRoutes, { deps });
  await app.register(resultSnapshotRoutes, { deps });
  await app.register(powerRoutes, { deps });
  await app.register(calibrationRoutes, { deps });
}
