// The floor of the assignment benchmark: Fastify, the same schemas, no work.
import {
  Assignment,
  AssignmentQuery,
  AssignmentRequest,
  ExperimentRef,
  UserId,
} from '@assay/contract';
import {
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from '@fastify/type-provider-zod';
import fastify from 'fastify';
import { z } from 'zod';

const app = fastify().withTypeProvider<ZodTypeProvider>();
app.setValidatorCompiler(validatorCompiler);
app.setSerializerCompiler(serializerCompiler);

const answer = (userId: string): Assignment => ({
  experiment_id: 1,
  experiment_key: 'bench',
  user_id: userId,
  variant: { id: 2, key: 'green', name: 'green', config: {} },
  source: 'db',
  reason: 'assigned',
  version: 2,
  bucket: 7_312,
  assigned_at: '2026-01-05T10:00:00.000000Z',
  persisted: true,
});

app.get('/health', async () => ({ status: 'ok' }));
app.get(
  '/v1/experiments/:experiment/assignment/:user_id',
  {
    schema: {
      params: z.object({ experiment: ExperimentRef, user_id: UserId }),
      querystring: AssignmentQuery,
      response: { 200: Assignment },
    },
  },
  async ({ params }) => answer(params.user_id),
);
app.post(
  '/v1/experiments/:experiment/assignment',
  {
    schema: {
      params: z.object({ experiment: ExperimentRef }),
      body: AssignmentRequest,
      response: { 200: Assignment },
    },
  },
  async ({ body }) => answer(body.user_id),
);
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.once('disconnect', () => process.exit(0));
