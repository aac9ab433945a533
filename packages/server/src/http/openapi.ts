import { STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { jsonSchemaTransform, jsonSchemaTransformObject } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { completeDocument, type OpenApiDocument } from './openapi-document.ts';

/** The pages load nothing from elsewhere; their own styles and images are in line. */
const PAGES_CSP =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/** Who may call: what the auth hook asks of a route, in the document's words. */
const SECURITY: Readonly<Record<string, readonly Record<string, string[]>[]>> = {
  public: [],
  // From loopback without a token, from elsewhere with one.
  metrics: [{}, { bearer: [] }],
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
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'A token of role client, ingest, viewer, editor or admin.',
          },
        },
      },
      security: [{ bearer: [] }],
    },
    transform: (input) => {
      const { schema, url } = jsonSchemaTransform(input);
      const permission = input.route.config?.permission ?? 'public';
      const security = SECURITY[permission];
      return {
        url,
        schema: {
          ...schema,
          ...(security === undefined
            ? { description: describe(schema.description, permission) }
            : { security }),
        },
      };
    },
    transformObject: (document) =>
      completeDocument(
        jsonSchemaTransformObject(document) as OpenApiDocument,
        statusText,
      ) as ReturnType<typeof jsonSchemaTransformObject>,
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGES_CSP,
    // Else the page would send the document to a validator on the internet.
    uiConfig: { validatorUrl: null },
  });
  app.get('/openapi.json', { config: { permission: 'public' }, schema: { hide: true } }, async () =>
    app.swagger(),
  );
}

const describe = (description: unknown, permission: string): string => {
  const need = `Needs the right to ${permission}.`;
  return typeof description === 'string' ? `${description} ${need}` : need;
};

const statusText = (status: string): string => STATUS_CODES[status] ?? 'An answer';
