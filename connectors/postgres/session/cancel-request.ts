import { connect } from 'node:net';

/** Frontend/backend protocol, message `CancelRequest`. */
const CANCEL_REQUEST_CODE = 80_877_102;

export interface BackendKey {
  readonly processId: number;
  readonly secretKey: number;
}

/**
 * Asks the server to cancel what a session is doing, by a connection of its own that takes none of the server's slots and
 * needs no login. Whether it was heard shows only in the session itself. Settles within `timeoutMs`; never throws.
 */
export function requestCancel(
  address: { readonly host: string; readonly port: number },
  { processId, secretKey }: BackendKey,
  timeoutMs: number,
): Promise<void> {
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(CANCEL_REQUEST_CODE, 4);
  request.writeInt32BE(processId, 8);
  request.writeInt32BE(secretKey, 12);
  return new Promise((resolve) => {
    const socket = address.host.startsWith('/')
      ? connect({ path: `${address.host}/.s.PGSQL.${address.port}` })
      : connect({ host: address.host, port: address.port });
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    socket.once('connect', () => socket.write(request));
    // The server closes the connection once it has passed the request on.
    socket.resume();
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
