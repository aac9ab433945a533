/** A schema or any other part of the document. */
interface Part {
  [name: string]: unknown;
}

interface SchemaPart extends Part {
  properties?: Record<string, Part>;
}

interface Response extends Part {
  description?: string;
}

interface Operation extends Part {
  requestBody?: { content?: Record<string, { schema?: Part }> };
  responses?: Record<string, Response>;
}

export interface OpenApiDocument extends Part {
  components?: { schemas?: Record<string, SchemaPart> };
  paths?: Record<string, Record<string, Operation>>;
}

const REF = '#/components/schemas/';

/** Items are checked one by one, so their arrays are untyped to the validator, not to the reader. */
const ITEMS: Readonly<Record<string, { readonly field: string; readonly item: string }>> = {
  EventsRequestInput: { field: 'events', item: 'EventInputInput' },
  ExposuresRequestInput: { field: 'exposures', item: 'ExposureInputInput' },
};

/** Bodies that may also come as one item a line. */
const LINES: Readonly<Record<string, string>> = { EventsRequestInput: 'EventInput' };

const PROBLEM_RESPONSE: Response = {
  description: 'An error, see `code`',
  content: { 'application/problem+json': { schema: { $ref: `${REF}Problem` } } },
};

/**
 * Adds what the route schemas cannot say (the items of batches, the shape of every error, what a
 * status means), and leaves out the shapes that no route uses.
 *
 * @param statusText what a status such as `201` means
 */
export function completeDocument(
  document: OpenApiDocument,
  statusText: (status: string) => string,
): OpenApiDocument {
  const schemas = document.components?.schemas ?? {};
  for (const [name, { field, item }] of Object.entries(ITEMS)) {
    const array = schemas[name]?.properties?.[field];
    if (array !== undefined) array.items = { $ref: REF + item };
  }
  for (const operation of Object.values(document.paths ?? {}).flatMap(Object.values<Operation>)) {
    addLines(operation);
    for (const [status, response] of Object.entries(operation.responses ?? {})) {
      if (response.description === 'Default Response') response.description = statusText(status);
    }
    operation.responses = { ...operation.responses, default: PROBLEM_RESPONSE };
  }
  return withUsedSchemas(document, schemas);
}

function addLines({ requestBody }: Operation): void {
  const ref = requestBody?.content?.['application/json']?.schema?.$ref;
  const item = typeof ref === 'string' ? LINES[ref.slice(REF.length)] : undefined;
  if (requestBody?.content === undefined || item === undefined) return;
  requestBody.content['application/x-ndjson'] = {
    schema: { type: 'string', description: `One ${item} as JSON on each line` },
  };
}

/**
 * Each shape comes twice, as `XInput` where it is sent and as `X` where it is answered. Only what
 * the routes reach is kept, and what is only ever sent loses its suffix.
 */
function withUsedSchemas(
  document: OpenApiDocument,
  schemas: Readonly<Record<string, SchemaPart>>,
): OpenApiDocument {
  const used = new Set<string>();
  const visit = (part: unknown): void => {
    for (const name of referencesOf(part)) {
      if (used.has(name)) continue;
      used.add(name);
      visit(schemas[name]);
    }
  };
  visit(document.paths);

  const nameOf = (name: string): string => {
    const base = name.replace(/Input$/, '');
    return base !== name && schemas[base] !== undefined && !used.has(base) ? base : name;
  };
  const kept = Object.fromEntries(
    [...used].sort().map((name) => [nameOf(name), schemas[name] as SchemaPart]),
  );
  const whole = { ...document, components: { ...document.components, schemas: kept } };
  const renamed = JSON.stringify(whole).replace(
    /"#\/components\/schemas\/(\w+)"/g,
    (_, name: string) => `"${REF}${nameOf(name)}"`,
  );
  return JSON.parse(renamed);
}

function referencesOf(part: unknown): readonly string[] {
  const found = (JSON.stringify(part) ?? '').matchAll(/"#\/components\/schemas\/(\w+)"/g);
  return [...found].map((match) => match[1] ?? '');
}
