import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig } from '../runtime/config.ts';
import { apiRoutes } from './api/routes.ts';
import { openApiDocument } from './api/openapi.ts';
import { EVENT_ROUTE } from './events/event-route.ts';
import type { Stores } from './stores.ts';

const document = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
// Describing routes asks nothing of stores but where Temporal is.
const stores = { temporal: { address: 'localhost:7233', namespace: 'default' } } as unknown as Stores;
const routes = [
  ...apiRoutes({ config: loadConfig({}), stores, watch: { state: () => Promise.reject(new Error('nobody asks')) } }),
  EVENT_ROUTE,
];

test('docs/serving.md has a row for each route, with its role', () => {
  const rows = document('docs/serving.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const told = rows
    .filter(([, route = '']) => /^`(?:GET|POST) \/api/.test(route))
    .map(([, route, , role]) => `${route ?? ''} ${role ?? ''}`);
  expect(told.sort()).toEqual(routes.map(({ method, path, role }) => `\`${method} ${path}\` ${role}`).sort());
});

test('the OpenAPI document describes every route, with all parameters that it reads', () => {
  const { paths } = openApiDocument(routes) as {
    paths: Record<string, Record<string, { parameters: { name: string }[] }>>;
  };
  for (const { method, path, params, query } of routes) {
    const names = paths[path]?.[method.toLowerCase()]?.parameters.map(({ name }) => name);
    expect(names?.sort()).toEqual([...Object.keys(params.shape), ...Object.keys(query.shape)].sort());
  }
});
