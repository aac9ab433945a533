import { PowerRequest, PowerResult } from '@assay/contract';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { computePower, type PowerDeps } from './service.ts';

export const powerRoutes: FastifyPluginAsyncZod<{ deps: PowerDeps }> = async (app, { deps }) => {
  app.post(
    '/v1/power',
    {
      // It changes nothing: a body only because there is so much to say.
      config: { permission: 'read' },
      schema: {
        operationId: 'computePower',
        summary: 'How many users an experiment needs, how long that takes, what it could find',
        tags: ['results'],
        body: PowerRequest,
        response: { 200: PowerResult },
      },
    },
    ({ body }) => computePower(deps, body),
  );
};
