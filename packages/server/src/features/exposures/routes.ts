import { ExposuresRequest, ExposuresResponse } from '@assay/contract';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { type ExposureDeps, reportExposures } from './service.ts';

export const exposureRoutes: FastifyPluginAsyncZod<{ deps: ExposureDeps }> = async (
  app,
  { deps },
) => {
  app.post(
    '/v1/exposures',
    {
      config: { permission: 'ingest' },
      // Built by typed code, so it is not checked again: that took five times as long as writing it.
      serializerCompiler: () => JSON.stringify,
      schema: {
        operationId: 'reportExposures',
        summary: 'Stores what a client that evaluates locally has shown to users',
        tags: ['assignments'],
        body: ExposuresRequest,
        response: { 200: ExposuresResponse },
      },
    },
    ({ body, principal }) => reportExposures(deps, principal, body.exposures),
  );
};
