import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { DescribedRoute } from './api/api-route.ts';
import { openApiDocument } from './api/openapi.ts';
import { addDashboard } from './dashboard-files.ts';

const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>PowerGrid Lambda serving API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const DOCS_SCRIPT = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', validatorUrl: null });
`;

/** The OpenAPI document, a page that shows it, and the dashboard. All from files here: no page asks another host for anything. */
export async function addPages(server: FastifyInstance, routes: readonly DescribedRoute[]): Promise<void> {
  const document = JSON.stringify(openApiDocument(routes));
  server.get('/openapi.json', (_request, reply) => reply.type('application/json; charset=utf-8').send(document));
  server.get('/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(DOCS_PAGE));
  server.get('/docs/start.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(DOCS_SCRIPT));
  const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  await server.register(fastifyStatic, {
    root: swagger,
    serve: false,
  });
  for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
    server.get(`/docs/${name}`, (_request, reply) => reply.sendFile(name, { maxAge: 3_600_000 }));
  }
  await addDashboard(server);
}
