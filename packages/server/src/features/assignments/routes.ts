import {
  Assignment,
  AssignmentQuery,
  AssignmentRequest,
  Assignments,
  AssignmentsRequest,
  ExperimentRef,
  UserId,
} from '@assay/contract';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { type AssignmentDeps, assignUser, assignUserEverywhere } from './service.ts';

const tags = ['assignments'];
const options = {
  config: { permission: 'assign' },
  // Built by typed code, so it is not checked again: that took as long as the decision.
  serializerCompiler: () => JSON.stringify,
} as const;

export const assignmentRoutes: FastifyPluginAsyncZod<{ deps: AssignmentDeps }> = async (
  app,
  { deps },
) => {
  app.get(
    '/v1/experiments/:experiment/assignment/:user_id',
    {
      ...options,
      // It stores an assignment, which a HEAD request must not.
      exposeHeadRoute: false,
      schema: {
        operationId: 'getAssignment',
        summary: 'The variant of a user, stored before it is answered',
        tags,
        params: z.object({ experiment: ExperimentRef, user_id: UserId }),
        querystring: AssignmentQuery,
        response: { 200: Assignment },
      },
    },
    async ({ params, query }) =>
      assignUser(deps, params.experiment, params.user_id, undefined, {
        forceRefresh: query.force_refresh === 'true',
      }),
  );

  app.post(
    '/v1/experiments/:experiment/assignment',
    {
      ...options,
      schema: {
        operationId: 'assignUser',
        summary: 'The variant of a user, with the attributes to keep with a new assignment',
        tags,
        params: z.object({ experiment: ExperimentRef }),
        body: AssignmentRequest,
        response: { 200: Assignment },
      },
    },
    async ({ params, body }) => assignUser(deps, params.experiment, body.user_id, body.context),
  );

  app.post(
    '/v1/assignments',
    {
      ...options,
      schema: {
        operationId: 'assignUserEverywhere',
        summary: 'The variants of a user in all running experiments, or in the named ones',
        tags,
        body: AssignmentsRequest,
        response: { 200: Assignments },
      },
    },
    async ({ body }) =>
      assignUserEverywhere(deps, body.user_id, body.context ?? {}, body.experiments),
  );
};
