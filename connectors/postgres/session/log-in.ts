import type { Socket } from 'node:net';
import { Client } from 'pg';
import type { BackendKey } from './cancel-request.ts';
import { reusingSocket } from './reusing-socket.ts';

export interface LogIn {
  /** For the driver, TLS as it is to be tried. */
  readonly url: string;
  readonly connectTimeoutMs: number;
  readonly applicationName: string;
}

/** A session of the driver's, the socket below it, and what it is cancelled by. */
export interface LoggedIn {
  readonly client: Client;
  readonly socket: Socket;
  readonly key: BackendKey;
}

/** Connects and logs in, once. Rejects with the driver's error. */
export async function logIn({ url, connectTimeoutMs, applicationName }: LogIn, signal: AbortSignal): Promise<LoggedIn> {
  signal.throwIfAborted();
  const socket = reusingSocket();
  const client = new Client({
    connectionString: url,
    stream: () => socket,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // Errors after the connection is there find their own listener.
  client.on('error', () => undefined);
  let key: BackendKey = { processId: 0, secretKey: 0 };
  client.connection.once('backendKeyData', (message: { processID: number; secretKey: number }) => {
    key = { processId: message.processID, secretKey: message.secretKey };
  });
  const onAbort = (): void => {
    socket.destroy(new Error('aborted'));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await client.connect();
    return { client, socket, key };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
