import { GridError } from '../../grid/errors.ts';
import type { Logger } from '../logger.ts';
import { createHttpServer } from './http-server.ts';
import { listen } from './listen.ts';
import { addOperationsRoutes, type OperationsRoutesOptions } from './operations-routes.ts';

export interface OperationsServerOptions extends OperationsRoutesOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Several workers of a kind on one host: all but the first take any free port, and say which. */
  readonly orAnyFreePort?: boolean;
  readonly logger: Logger;
}

export interface OperationsServer {
  readonly port: number;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 30_000;
const IDLE_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 100;

/**
 * Serves the operations pages of a process that has no other HTTP server.
 *
 * @throws GridError `address-in-use` when the port is taken.
 */
export async function startOperationsServer(options: OperationsServerOptions): Promise<OperationsServer> {
  const { host, logger } = options;
  const create = () => {
    const server = createHttpServer({
      logger,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      maxConnections: MAX_CONNECTIONS,
    });
    addOperationsRoutes(server, options);
    return server;
  };
  let server = create();
  let port: number;
  try {
    port = await listen(server, host, options.port);
  } catch (error) {
    const isTaken = error instanceof GridError && error.code === 'address-in-use';
    if (options.orAnyFreePort !== true || !isTaken) throw error;
    logger.info(`port ${options.port} is taken, most likely by another worker of this kind`);
    server = create();
    port = await listen(server, host, 0);
  }
  logger.info({ url: `http://${host}:${port}/metrics` }, 'operations server listens');
  return { port, close: () => server.close() };
}
