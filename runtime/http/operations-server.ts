import fastify from 'fastify';
import { GridError } from '../../grid/errors.ts';
import type { Logger } from '../logger.ts';
import type { Registry } from '../metrics.ts';

/** Whether a process can do its work now; `problems` names what is missing, in sentences. */
export interface Readiness {
  readonly ready: boolean;
  readonly problems: readonly string[];
}

export interface OperationsServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Several workers of a kind on one host: all but the first take any free port, and say which. */
  readonly orAnyFreePort?: boolean;
  readonly metrics: Pick<Registry, 'contentType' | 'metrics'>;
  readonly readiness: () => Promise<Readiness> | Readiness;
  readonly logger: Logger;
}

export interface OperationsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves what operators and orchestrators ask of any process: `/healthz` (it runs), `/readyz` (it can do its work),
 * `/metrics` (Prometheus text format).
 *
 * @throws GridError `address-in-use` when the port is taken.
 */
export async function startOperationsServer(options: OperationsServerOptions): Promise<OperationsServer> {
  const server = fastify({ logger: false });
  server.get('/healthz', () => ({ status: 'up' }));
  server.get('/readyz', async (_request, reply) => {
    const readiness = await options.readiness();
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });
  server.get('/metrics', async (_request, reply) =>
    reply.header('content-type', options.metrics.contentType).send(await options.metrics.metrics()),
  );
  try {
    await listen(server, options.host, options.port);
  } catch (error) {
    const isTaken = error instanceof GridError && error.code === 'address-in-use';
    if (options.orAnyFreePort !== true || !isTaken) throw error;
    options.logger.info(`port ${options.port} is taken, most likely by another worker of this kind`);
    await listen(server, options.host, 0);
  }
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  options.logger.info({ url: `http://${options.host}:${port}/metrics` }, 'operations server listens');
  return { port, close: () => server.close() };
}

/** Listens, with a taken port told as what it is. */
export async function listen(
  server: { listen(options: { host: string; port: number }): PromiseLike<string> },
  host: string,
  port: number,
): Promise<void> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new GridError(
        'address-in-use',
        `Listening on ${host}:${port}: the port is taken by another program. Stop it, or configure another port.`,
        { cause: error },
      );
    }
    throw error;
  }
}
