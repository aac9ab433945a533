import { EventsRequest, EventsResponse } from '@assay/contract';
import type { FastifyPluginAsyncZod } from '@fastify/type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { textOf } from '../../http/bodies.ts';
import { type EventDeps, ingestEvents } from './service.ts';

export const eventRoutes: FastifyPluginAsyncZod<{ deps: EventDeps }> = async (app, { deps }) => {
  // A line that is not JSON stays text, and is rejected as an item; the other lines count.
  app.addContentTypeParser(
    'application/x-ndjson',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      const lines = textOf(request, body).split('\n');
      return { events: lines.filter((line) => line.trim() !== '').map(parseLine) };
    },
  );

  app.post(
    '/v1/events',
    {
      config: { permission: 'ingest' },
      // Built by typed code, so it is not checked again: that took five times as long as writing it.
      serializerCompiler: () => JSON.stringify,
      schema: {
        operationId: 'ingestEvents',
        summary: 'Stores events; answers what became of each',
        description:
          'JSON, or one event a line as application/x-ndjson. Answers after the commit. The same event_id and timestamp again is a duplicate; an event that is rejected does not spoil its batch.',
        tags: ['events'],
        body: EventsRequest,
        response: { 200: EventsResponse },
      },
    },
    ({ body }) => ingestEvents(deps, body.events),
  );
};

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}
