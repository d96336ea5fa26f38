import type { FastifyInstance } from 'fastify';
import { GridError } from '../../grid/errors.ts';

/**
 * Listens, and says on which port: 0 takes any free one.
 *
 * @throws GridError `address-in-use` when the port is taken.
 */
export async function listen(server: FastifyInstance, host: string, port: number): Promise<number> {
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
  const address = server.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
