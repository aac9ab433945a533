import {
  ExperimentRef,
  IdParam,
  PageQuery,
  ReproduceQuery,
  Reproduction,
  Snapshot,
  SnapshotCreate,
  SnapshotList,
  SnapshotQuery,
} from '@assay/contract';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { actorOf } from '../audit/service.ts';
import {
  getSnapshot,
  pageOfSnapshots,
  removeSnapshot,
  type SnapshotDeps,
  takeSnapshot,
} from './service.ts';
import { reproduceSnapshot } from './service-reproduce.ts';

const tags = ['results'];
const read = { permission: 'read' } as const;
const write = { permission: 'write' } as const;
const ofExperiment = z.object({ experiment: ExperimentRef });
const ofSnapshot = ofExperiment.extend({ id: IdParam });

export const resultSnapshotRoutes: FastifyPluginAsyncZod<{ deps: SnapshotDeps }> = async (
  app,
  { deps },
) => {
  app.post(
    '/v1/experiments/:experiment/snapshots',
    {
      config: write,
      schema: {
        operationId: 'takeSnapshot',
        summary: 'Stores results with everything that made them',
        tags,
        params: ofExperiment,
        body: SnapshotCreate,
        response: { 201: Snapshot },
      },
    },
    async (request, reply) => {
      const { experiment } = request.params;
      const taken = await takeSnapshot(deps, actorOf(request), experiment, request.body);
      reply.header('location', `/v1/experiments/${taken.experiment_id}/snapshots/${taken.id}`);
      return reply.status(201).send(taken);
    },
  );

  app.get(
    '/v1/experiments/:experiment/snapshots',
    {
      config: read,
      schema: {
        operationId: 'listSnapshots',
        summary: 'Stored results from the newest on, without what they say',
        tags,
        params: ofExperiment,
        querystring: PageQuery,
        response: { 200: SnapshotList },
      },
    },
    ({ params: { experiment }, query }) =>
      pageOfSnapshots(deps, experiment, query.limit, query.cursor),
  );

  app.get(
    '/v1/experiments/:experiment/snapshots/:id',
    {
      config: read,
      schema: {
        operationId: 'getSnapshot',
        summary: 'Stored results as they were answered, and what made them',
        tags,
        params: ofSnapshot,
        querystring: SnapshotQuery,
        response: { 200: Snapshot },
      },
    },
    ({ params: { experiment, id }, query }) => getSnapshot(deps, experiment, id, query.include),
  );

  app.get(
    '/v1/experiments/:experiment/snapshots/:id/reproduce',
    {
      config: read,
      schema: {
        operationId: 'reproduceSnapshot',
        summary: 'Computes stored results anew, and says where they differ',
        tags,
        params: ofSnapshot,
        querystring: ReproduceQuery,
        response: { 200: Reproduction },
      },
    },
    ({ params: { experiment, id }, query }) => reproduceSnapshot(deps, experiment, id, query.from),
  );

  app.delete(
    '/v1/experiments/:experiment/snapshots/:id',
    {
      config: write,
      schema: {
        operationId: 'deleteSnapshot',
        summary: 'Deletes stored results',
        tags,
        params: ofSnapshot,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { experiment, id } = request.params;
      await removeSnapshot(deps, actorOf(request), experiment, id);
      return reply.status(204).send(null);
    },
  );
};
