import { describe, expect, test } from 'vitest';
import { allProblems, allRoutes, permissions, permissionsOf } from './index.ts';

describe('the contract as a whole', () => {
  test('names every operation once and every method and path once', () => {
    const operations = allRoutes.map((route) => route.operationId);
    expect(new Set(operations).size).toBe(operations.length);
    const places = allRoutes.map((route) => `${route.method} ${route.path.replace(/:\w+/g, ':')}`);
    expect(new Set(places).size).toBe(places.length);
  });

  test('declares parameters for every path that has some', () => {
    for (const route of allRoutes) {
      if (/[:*]/.test(route.path)) expect(route.params, route.operationId).toBeDefined();
    }
  });

  test('names only problems that exist, each told in three languages', () => {
    for (const route of allRoutes) {
      for (const code of route.problems ?? []) expect(allProblems, route.operationId).toHaveProperty([code]);
    }
    for (const [code, row] of Object.entries(allProblems)) {
      expect(code).toMatch(/^[a-z-]+\/[a-z0-9-]+$/);
      for (const title of [row.title.en, row.title['zh-Hans'], row.title['zh-Hant']]) expect(title.length, code).toBeGreaterThan(3);
    }
  });

  test('asks agents only for permissions of the table, and for each of them somewhere', () => {
    const asked = new Set(allRoutes.flatMap(({ permission }) => permission ?? []));
    expect(Object.keys(permissions).filter((one) => !asked.has(one))).toEqual([]);
    for (const route of allRoutes) {
      if (route.permission !== undefined) {
        expect(permissions, route.operationId).toHaveProperty([route.permission]);
        expect(route.audience, route.operationId).toBe('agent');
      }
    }
  });

  test('gives an admin everything and a viewer nothing that writes', () => {
    expect(permissionsOf(['admin']).size).toBe(Object.keys(permissions).length);
    expect([...permissionsOf(['viewer'])].filter((one) => !one.endsWith(':read'))).toEqual([]);
    expect(permissionsOf([]).size).toBe(0);
  });
});
