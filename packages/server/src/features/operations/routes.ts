import { Health, Readiness } from '@assay/contract';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { createReadiness, type OperationDeps, renderMetrics } from './service.ts';

const tags = ['operations'];
const config = { permission: 'public' } as const;

export const operationRoutes: FastifyPluginAsyncZod<{ deps: OperationDeps }> = async (
  app,
  { deps },
) => {
  const readiness = createReadiness(deps);

  app.get(
    '/health',
    {
      config,
      schema: {
        operationId: 'getHealth',
        summary: 'The process is alive; touches nothing',
        tags,
        response: { 200: Health },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/ready',
    {
      config,
      schema: {
        operationId: 'getReadiness',
        summary: 'Whether the process can serve, part by part',
        tags,
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_request, reply) => {
      const answer = await readiness();
      return reply.status(answer.status === 'down' ? 503 : 200).send(answer);
    },
  );

  app.get(
    '/metrics',
    {
      config: { permission: 'metrics' },
      schema: {
        operationId: 'getMetrics',
        summary: 'Measurements for Prometheus; from loopback, or with a viewer token',
        tags,
        produces: ['text/plain'],
        response: { 200: z.string() },
      },
    },
    async (_request, reply) => {
      const { type, text } = await renderMetrics(deps);
      return reply.type(type).serializer(String).send(text);
    },
  );
};
