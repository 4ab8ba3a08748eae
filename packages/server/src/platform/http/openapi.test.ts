import { allProblems, allRoutes } from '@yuanyou/contract';
import { describe, expect, test } from 'vitest';
import { describeApi } from './openapi.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { name: string; in: string; required: boolean; schema: object }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { description: string; content?: Record<string, { schema?: object }> }>>;
  readonly security: readonly Readonly<Record<string, string[]>>[];
}

const description = describeApi({
  routes: allRoutes, problems: allProblems, serverUrl: 'https://example.test', version: '1.2.3', cookies: { traveller: '__Host-t', agent: '__Host-a' },
}) as {
  openapi: string; paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
};
const operations = Object.entries(description.paths).flatMap(([path, methods]) => Object.values(methods).map((operation) => ({ path, operation })));

describe('the description of the API', () => {
  test('covers every route, once', () => {
    expect(description.openapi).toBe('3.1.0');
    expect(operations.map(({ operation }) => operation.operationId).toSorted()).toEqual(allRoutes.map(({ operationId }) => operationId).toSorted());
  });

  test('has no reference that leads nowhere', () => {
    const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference!);
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references) {
      expect(reference).toMatch(/^#\/components\/schemas\//);
      expect(description.components.schemas).toHaveProperty([reference.replace('#/components/schemas/', '')]);
    }
    expect(JSON.stringify(description)).not.toContain('$defs');
  });

  test('declares each parameter of each path, and each answer with words', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(operation.parameters?.filter((one) => one.in === 'path').map(({ name }) => name) ?? [], operation.operationId).toEqual(named);
      for (const answer of Object.values(operation.responses)) expect(answer.description.length).toBeGreaterThan(3);
      for (const requirement of operation.security) {
        for (const scheme of Object.keys(requirement)) expect(description.components.securitySchemes).toHaveProperty([scheme]);
      }
      expect(operation.responses['500']?.content).toHaveProperty(['application/problem+json']);
    }
  });

  test('names the Idempotency-Key where it is needed, and only there', () => {
    for (const { operation } of operations) {
      const needed = allRoutes.find(({ operationId }) => operationId === operation.operationId)!.idempotent === true;
      expect(operation.parameters?.some(({ name }) => name === 'Idempotency-Key') ?? false, operation.operationId).toBe(needed);
    }
  });

  test('tells what is sent from what is answered', () => {
    const signUp = description.paths['/v1/accounts']!['post']! as unknown as { requestBody: { content: { 'application/json': { schema: { required: string[]; additionalProperties: boolean } } } } };
    const schema = signUp.requestBody.content['application/json'].schema;
    expect(schema.required).toEqual(['email', 'password', 'name']);
    expect(schema.additionalProperties).toBe(false);
    expect(Object.keys(description.components.schemas)).toEqual(expect.arrayContaining(['Problem', 'Account', 'Money', 'ContactInput']));
  });
});
