import type { ProblemRow, Route } from '@yuanyou/contract';
import { problem } from '@yuanyou/contract';
import type { ZodType } from 'zod';
import { createSchemas } from './schemas.ts';
import type { Json, Schemas } from './schemas.ts';

export interface OpenApiOptions {
  readonly routes: readonly Route[];
  readonly problems: Readonly<Record<string, ProblemRow>>;
  readonly serverUrl: string;
  readonly version: string;
  readonly cookies: { readonly traveller: string; readonly agent: string };
}

/** The OpenAPI 3.1 description of the routes, made from nothing but the routes. */
export function describeApi(options: OpenApiOptions): Json {
  const schemas = createSchemas();
  schemas.of(problem, 'output');
  const paths: Record<string, Json> = {};
  for (const route of options.routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{rest}');
    (paths[path] ??= {})[route.method.toLowerCase()] = describeOperation(route, options, schemas);
  }
  const tags = [...new Set(options.routes.map((route) => route.tag))].map((name) => ({ name, description: `Operations on ${name}` }));
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Yuanyou', version: options.version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      contact: { name: 'Yuanyou', url: options.serverUrl },
      description: 'A travel-eSIM service that lets every customer leave as easily as they came.',
    },
    servers: [{ url: options.serverUrl }],
    tags,
    paths,
    components: {
      schemas: schemas.named,
      securitySchemes: {
        travellerSession: { type: 'http', scheme: 'bearer', description: 'The secret of a traveller\'s session' },
        travellerCookie: { type: 'apiKey', in: 'cookie', name: options.cookies.traveller },
        agentSession: { type: 'http', scheme: 'bearer', description: 'The secret of an agent\'s session, or an API key' },
        agentCookie: { type: 'apiKey', in: 'cookie', name: options.cookies.agent },
      },
    },
  };
}

const security: Readonly<Record<Route['audience'], readonly Json[]>> = {
  public: [],
  traveller: [{ travellerSession: [] }, { travellerCookie: [] }],
  agent: [{ agentSession: [] }, { agentCookie: [] }],
};

function describeOperation(route: Route, options: OpenApiOptions, schemas: Schemas): Json {
  const parameters = [
    ...describeParameters(route.params, 'path', schemas),
    ...describeParameters(route.query, 'query', schemas),
    ...(route.idempotent === true ? [idempotencyParameter] : []),
  ];
  const responses: Record<string, Json> = {};
  for (const [status, declared] of Object.entries(route.responses)) responses[status] = describeResponse(route, declared, schemas);
  for (const [status, codes] of codesByStatus(route, options.problems)) {
    responses[status] ??= {
      description: codes.map((code) => `\`${code}\`: ${options.problems[code]!.title.en}`).join('\n\n'),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return {
    operationId: route.operationId, summary: route.summary, description: descriptionOf(route), tags: [route.tag], security: security[route.audience],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: schemas.of(route.body, 'input') } } } }),
    responses,
  };
}

function descriptionOf(route: Route): string {
  const audience = { public: 'Anyone may call it.', traveller: 'For a signed-in traveller.', agent: 'For agents.' }[route.audience];
  return [
    `${route.summary}. ${audience}`,
    route.permission === undefined ? '' : `Needs the permission \`${route.permission}\`.`,
    route.audience === 'traveller' && route.whileLeaving !== true ? 'Refused while the account is being closed.' : '',
  ].filter((part) => part !== '').join(' ');
}

const idempotencyParameter: Json = {
  name: 'Idempotency-Key', in: 'header', required: true, schema: { type: 'string', pattern: '^[A-Za-z0-9\\-._~]{16,128}$' },
  description: 'Names this one request: a repeat with the same key and the same content gets the first answer again, for a day.',
  example: '0198c5d2-7a10-7c3e-9a44-3f1f0a6f2b11',
};

function describeParameters(schema: ZodType | undefined, place: 'path' | 'query', schemas: Schemas): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemas.of(schema, 'input') as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(properties).map(([name, one]) => ({
    name: name === '*' ? 'rest' : name, in: place, required: place === 'path' || required.includes(name), schema: one,
  }));
}

function describeResponse(route: Route, declared: ZodType | null | string, schemas: Schemas): Json {
  if (declared === null) return { description: route.summary };
  if (typeof declared === 'string') return { description: route.summary, content: { [declared]: {} } };
  return { description: route.summary, content: { 'application/json': { schema: schemas.of(declared, 'output') } } };
}

/** The problems that a route can answer, by status. */
function codesByStatus(route: Route, table: Readonly<Record<string, ProblemRow>>): Map<string, string[]> {
  const codes = [
    'general/bad-request', 'general/too-many-requests', 'general/internal',
    ...(route.audience === 'public' ? [] : ['general/unauthenticated', 'general/forbidden']),
    ...(route.audience === 'traveller' && route.whileLeaving !== true ? ['general/leaving'] : []),
    ...(route.params === undefined ? [] : ['general/not-found']),
    ...(route.body === undefined ? [] : ['general/too-large', 'general/unsupported-media-type']),
    ...(route.idempotent === true ? ['general/idempotency-key-missing', 'general/idempotency-key-reused', 'general/in-progress'] : []),
    ...(route.problems ?? []),
  ];
  const byStatus = new Map<string, string[]>();
  for (const code of codes) {
    const row = table[code];
    if (row !== undefined) byStatus.set(String(row.status), [...byStatus.get(String(row.status)) ?? [], code]);
  }
  return byStatus;
}
