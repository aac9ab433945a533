import { EventInput, ExposureInput, Problem } from '@assay/contract';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform, jsonSchemaTransformObject } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

/** Items are checked one by one, so their arrays are untyped to the validator, not to the reader. */
const ITEM_SCHEMAS: Readonly<Record<string, { readonly field: string; readonly item: string }>> = {
  EventsRequest: { field: 'events', item: 'EventInput' },
  ExposuresRequest: { field: 'exposures', item: 'ExposureInput' },
};

interface SchemaObject {
  [name: string]: unknown;
  properties?: Record<string, SchemaObject>;
}

interface OpenApiDocument {
  components?: { schemas?: Record<string, SchemaObject> };
  paths?: Record<string, Record<string, { responses?: Record<string, unknown> }>>;
}

const PROBLEM_RESPONSE = {
  description: 'An error, see `code`',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** Serves the API's own description at /openapi.json and as pages at /docs. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Assay',
        description: 'Experiments: assignment, events, results.',
        version: '0.1.0',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) =>
      complete(jsonSchemaTransformObject(document) as OpenApiDocument) as ReturnType<
        typeof jsonSchemaTransformObject
      >,
  });
  await app.register(swaggerUi, { routePrefix: '/docs' });
  app.get('/openapi.json', { config: { permission: 'public' }, schema: { hide: true } }, async () =>
    app.swagger(),
  );
}

/** Adds what the route schemas cannot say: the items of batches, and the shape of every error. */
function complete(document: OpenApiDocument): OpenApiDocument {
  const schemas = document.components?.schemas ?? {};
  for (const schema of [EventInput, ExposureInput, Problem]) {
    const { id } = schema.meta() ?? {};
    if (typeof id !== 'string') continue;
    const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    schemas[id] = json as SchemaObject;
  }
  for (const [name, { field, item }] of Object.entries(ITEM_SCHEMAS)) {
    const array = (schemas[`${name}Input`] ?? schemas[name])?.properties?.[field];
    if (array !== undefined) array.items = { $ref: `#/components/schemas/${item}` };
  }
  for (const methods of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(methods)) {
      if (operation.responses !== undefined) operation.responses.default = PROBLEM_RESPONSE;
    }
  }
  return document;
}
