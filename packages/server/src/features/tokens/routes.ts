import { IdParam, PageQuery, TokenCreate, TokenCreated, TokenList } from '@assay/contract';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import { z } from 'zod';
import { actorOf } from '../audit/service.ts';
import { issueToken, pageOfTokens, revoke, type TokenDeps } from './service.ts';

const tags = ['tokens'];
const config = { permission: 'admin' } as const;

export const tokenRoutes: FastifyPluginAsyncZod<{ deps: TokenDeps }> = async (app, { deps }) => {
  app.post(
    '/v1/tokens',
    {
      config,
      schema: {
        operationId: 'createToken',
        summary: 'Makes a token; only this answer holds its secret',
        tags,
        body: TokenCreate,
        response: { 201: TokenCreated },
      },
    },
    async (request, reply) => {
      const created = await issueToken(deps, actorOf(request), request.body);
      return reply.status(201).send(created);
    },
  );

  app.get(
    '/v1/tokens',
    {
      config,
      schema: {
        operationId: 'listTokens',
        summary: 'All tokens from the newest on, without their secrets',
        tags,
        querystring: PageQuery,
        response: { 200: TokenList },
      },
    },
    ({ query }) => pageOfTokens(deps, query.limit, query.cursor),
  );

  app.delete(
    '/v1/tokens/:id',
    {
      config,
      schema: {
        operationId: 'revokeToken',
        summary: 'Revokes a token everywhere within a second',
        tags,
        params: z.object({ id: IdParam }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await revoke(deps, actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
};
