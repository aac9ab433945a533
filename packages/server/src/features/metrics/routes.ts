import {
  Metric,
  MetricCreate,
  MetricList,
  MetricListQuery,
  MetricPatch,
  MetricRef,
  MetricVersionList,
  PageQuery,
} from '@assay/contract';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { expectedVersions, tagged } from '../../http/etag.ts';
import { actorOf } from '../audit/service.ts';
import {
  createMetric,
  editMetric,
  getMetric,
  type MetricDeps,
  pageOfMetrics,
  pageOfVersions,
  removeMetric,
} from './service.ts';

const tags = ['metrics'];
const read = { permission: 'read' } as const;
const write = { permission: 'write' } as const;
const params = z.object({ metric: MetricRef });

export const metricRoutes: FastifyPluginAsyncZod<{ deps: MetricDeps }> = async (app, { deps }) => {
  app.post(
    '/v1/metrics',
    {
      config: write,
      schema: {
        operationId: 'createMetric',
        summary: 'Adds a metric to the catalogue; it counts past events too',
        tags,
        body: MetricCreate,
        response: { 201: Metric },
      },
    },
    async (request, reply) => {
      const created = await createMetric(deps, actorOf(request), request.body);
      reply.status(201).header('location', `/v1/metrics/${created.key}`);
      return tagged(reply, created);
    },
  );

  app.get(
    '/v1/metrics',
    {
      config: read,
      schema: {
        operationId: 'listMetrics',
        summary: 'Metrics of the catalogue from the newest on',
        tags,
        querystring: MetricListQuery,
        response: { 200: MetricList },
      },
    },
    ({ query }) => pageOfMetrics(deps, query),
  );

  app.get(
    '/v1/metrics/:metric',
    {
      config: read,
      schema: {
        operationId: 'getMetric',
        summary: 'One metric, by id or key',
        tags,
        params,
        response: { 200: Metric },
      },
    },
    async (request, reply) => tagged(reply, await getMetric(deps, request.params.metric)),
  );

  app.patch(
    '/v1/metrics/:metric',
    {
      config: write,
      schema: {
        operationId: 'editMetric',
        summary: 'Gives a metric a new version; null takes a field away',
        tags,
        params,
        body: MetricPatch,
        response: { 200: Metric },
      },
    },
    async (request, reply) => {
      const { metric } = request.params;
      const expected = expectedVersions(request);
      return tagged(
        reply,
        await editMetric(deps, actorOf(request), metric, request.body, expected),
      );
    },
  );

  app.delete(
    '/v1/metrics/:metric',
    {
      config: write,
      schema: {
        operationId: 'deleteMetric',
        summary: 'Takes a metric that no experiment uses out of the catalogue; its versions stay',
        tags,
        params,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { metric } = request.params;
      await removeMetric(deps, actorOf(request), metric, expectedVersions(request));
      return reply.status(204).send(null);
    },
  );

  app.get(
    '/v1/metrics/:metric/versions',
    {
      config: read,
      schema: {
        operationId: 'listMetricVersions',
        summary: 'Every version of a metric from the newest on, after its deletion too',
        tags,
        params,
        querystring: PageQuery,
        response: { 200: MetricVersionList },
      },
    },
    ({ params: { metric }, query }) => pageOfVersions(deps, metric, query.limit, query.cursor),
  );
};
