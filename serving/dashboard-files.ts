import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** The dashboard's own files: browsers get them as they lie here. */
export const DASHBOARD = fileURLToPath(new URL('dashboard/', import.meta.url));

/** What of packages the dashboard uses, by the path that it is asked for by: package, file in it. */
export const VENDOR_FILES: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['/vendor/uplot.js', ['uplot', 'dist/uPlot.esm.js']],
  ['/vendor/uplot.css', ['uplot', 'dist/uPlot.min.css']],
  ['/vendor/inter.woff2', ['@fontsource-variable/inter', 'files/inter-latin-wght-normal.woff2']],
]);
/** They change with the package alone. */
const VENDOR_AGE_MS = 86_400_000;

/** Serves the dashboard at `/`. Its files may change under a server that runs, so browsers ask each time whether they have. */
export async function addDashboard(server: FastifyInstance): Promise<void> {
  await server.register(fastifyStatic, {
    root: DASHBOARD,
    prefix: '/',
    decorateReply: false,
    // Each file a route of its own: what is not there is answered as any unknown path.
    wildcard: false,
    globIgnore: ['**/*.ts'],
    cacheControl: true,
    maxAge: 0,
  });
  const { resolve } = createRequire(import.meta.url);
  for (const [path, [name, file]] of VENDOR_FILES) {
    const directory = dirname(resolve(`${name}/package.json`));
    server.get(path, (_request, reply) =>
      reply.sendFile(file, directory, { maxAge: VENDOR_AGE_MS, cacheControl: true }),
    );
  }
}
