import { ExperimentRef, Results, ResultsQuery, SrmQuery, SrmReport } from '@assay/contract';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { toCsv } from './csv.ts';
import { getSrm } from './health/service.ts';
import { getResults, type ResultsDeps } from './service.ts';
import { createSingleFlight } from './single-flight.ts';

export const resultRoutes: FastifyPluginAsyncZod<{ deps: ResultsDeps }> = async (app, { deps }) => {
  const shared = createSingleFlight<Results>();
  const sharedSplits = createSingleFlight<SrmReport>();
  app.get(
    '/v1/experiments/:experiment/results',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'getResults',
        summary: 'What the variants did, which is better, and how sure that is',
        tags: ['results'],
        params: z.object({ experiment: ExperimentRef }),
        querystring: ResultsQuery,
        response: { 200: Results },
      },
    },
    async ({ params, query }, reply) => {
      const { format, ...asked } = query;
      const results = await shared(JSON.stringify([params.experiment, asked]), () =>
        getResults(deps, params.experiment, query),
      );
      if (format === 'json') return results;
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="${results.experiment_key}.csv"`)
        .serializer(String)
        .send(toCsv(results) as never);
    },
  );

  app.get(
    '/v1/experiments/:experiment/srm',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'getSrm',
        summary: 'Whether the users are split as planned, and where they are not',
        tags: ['results'],
        params: z.object({ experiment: ExperimentRef }),
        querystring: SrmQuery,
        response: { 200: SrmReport },
      },
    },
    ({ params, query }) =>
      sharedSplits(JSON.stringify([params.experiment, query]), () =>
        getSrm(deps, params.experiment, query),
      ),
  );
};
