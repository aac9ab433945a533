import {
  AuditList,
  CloneRequest,
  Experiment,
  ExperimentCreate,
  ExperimentList,
  ExperimentListQuery,
  ExperimentPatch,
  ExperimentRef,
  Override,
  OverrideRequest,
  PageQuery,
  UserId,
} from '@assay/contract';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { expectedVersions, tagged } from '../../http/etag.ts';
import { actorOf } from '../audit/service.ts';
import {
  changeStatus,
  cloneExperiment,
  createExperiment,
  type ExperimentDeps,
  editExperiment,
  getExperiment,
  historyOf,
  pageOfExperiments,
  removeExperiment,
} from './service.ts';
import { removeOverride, setOverride } from './service-overrides.ts';

const tags = ['experiments'];
const read = { permission: 'read' } as const;
const write = { permission: 'write' } as const;
const params = z.object({ experiment: ExperimentRef });
const overrideParams = z.object({ experiment: ExperimentRef, user_id: UserId });
const ACTIONS = ['start', 'pause', 'resume', 'stop', 'archive'] as const;

export const experimentRoutes: FastifyPluginAsyncZod<{ deps: ExperimentDeps }> = async (
  app,
  { deps },
) => {
  app.post(
    '/v1/experiments',
    {
      config: write,
      schema: {
        operationId: 'createExperiment',
        summary: 'Creates a draft',
        tags,
        body: ExperimentCreate,
        response: { 201: Experiment },
      },
    },
    async (request, reply) => {
      const created = await createExperiment(deps, actorOf(request), request.body);
      reply.status(201).header('location', `/v1/experiments/${created.key}`);
      return tagged(reply, created);
    },
  );

  app.get(
    '/v1/experiments',
    {
      config: read,
      schema: {
        operationId: 'listExperiments',
        summary: 'Experiments from the newest on',
        tags,
        querystring: ExperimentListQuery,
        response: { 200: ExperimentList },
      },
    },
    ({ query }) => pageOfExperiments(deps, query),
  );

  app.get(
    '/v1/experiments/:experiment',
    {
      config: read,
      schema: {
        operationId: 'getExperiment',
        summary: 'One experiment, by id or key',
        tags,
        params,
        response: { 200: Experiment },
      },
    },
    async (request, reply) => tagged(reply, await getExperiment(deps, request.params.experiment)),
  );

  app.patch(
    '/v1/experiments/:experiment',
    {
      config: write,
      schema: {
        operationId: 'editExperiment',
        summary: 'Changes fields; with If-Match only the version that the caller has seen',
        tags,
        params,
        body: ExperimentPatch,
        response: { 200: Experiment },
      },
    },
    async (request, reply) =>
      tagged(
        reply,
        await editExperiment(
          deps,
          actorOf(request),
          request.params.experiment,
          request.body,
          expectedVersions(request),
        ),
      ),
  );

  app.delete(
    '/v1/experiments/:experiment',
    {
      config: write,
      schema: {
        operationId: 'deleteExperiment',
        summary: 'Deletes a draft',
        tags,
        params,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { experiment } = request.params;
      await removeExperiment(deps, actorOf(request), experiment, expectedVersions(request));
      return reply.status(204).send(null);
    },
  );

  for (const action of ACTIONS) {
    app.post(
      `/v1/experiments/:experiment/${action}`,
      {
        config: write,
        schema: {
          operationId: `${action}Experiment`,
          summary: `Lifecycle: ${action}`,
          tags,
          params,
          response: { 200: Experiment },
        },
      },
      async (request, reply) => {
        const { experiment } = request.params;
        const expected = expectedVersions(request);
        return tagged(
          reply,
          await changeStatus(deps, actorOf(request), experiment, action, expected),
        );
      },
    );
  }

  app.post(
    '/v1/experiments/:experiment/clone',
    {
      config: write,
      schema: {
        operationId: 'cloneExperiment',
        summary: 'A new draft with the same definition and another seed',
        tags,
        params,
        body: CloneRequest,
        response: { 201: Experiment },
      },
    },
    async (request, reply) => {
      const { experiment } = request.params;
      const created = await cloneExperiment(deps, actorOf(request), experiment, request.body);
      reply.status(201).header('location', `/v1/experiments/${created.key}`);
      return tagged(reply, created);
    },
  );

  app.get(
    '/v1/experiments/:experiment/history',
    {
      config: read,
      schema: {
        operationId: 'getHistory',
        summary: 'Who changed what, from the newest on',
        tags,
        params,
        querystring: PageQuery,
        response: { 200: AuditList },
      },
    },
    ({ params: { experiment }, query }) => historyOf(deps, experiment, query.limit, query.cursor),
  );

  app.put(
    '/v1/experiments/:experiment/overrides/:user_id',
    {
      config: write,
      schema: {
        operationId: 'setOverride',
        summary: 'Forces a variant on a user; not counted in results',
        tags,
        params: overrideParams,
        body: OverrideRequest,
        response: { 200: Override },
      },
    },
    (request) =>
      setOverride(
        deps,
        actorOf(request),
        request.params.experiment,
        request.params.user_id,
        request.body.variant,
      ),
  );

  app.delete(
    '/v1/experiments/:experiment/overrides/:user_id',
    {
      config: write,
      schema: {
        operationId: 'removeOverride',
        summary: 'Takes an override back',
        tags,
        params: overrideParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { experiment, user_id } = request.params;
      await removeOverride(deps, actorOf(request), experiment, user_id);
      return reply.status(204).send(null);
    },
  );
};
