import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { GridError } from '../../grid/errors.ts';
import { within } from '../../runtime/waiting/time-limit.ts';

/** First bytes of a TDS packet: type 0x04 is a server's reply ([MS-TDS] 2.2.3.1). */
const REPLY = 0x04;
const HEADER_BYTES = 8;
/** PRELOGIN option ENCRYPTION and its value ENCRYPT_NOT_SUP ([MS-TDS] 2.2.6.5). */
const ENCRYPTION = 0x01;
const NOT_SUPPORTED = 0x02;
const TERMINATOR = 0xff;

export interface GuardedSocketOptions {
  readonly host: string;
  readonly port: number;
  /** What messages call the server. */
  readonly shown: string;
  readonly timeoutMs: number;
  readonly mustEncrypt: boolean;
}

/**
 * A socket for the driver. With `mustEncrypt` it is destroyed when the server's first reply says that it cannot encrypt: the
 * driver would go on without encryption then, and send the password in the clear although encryption was asked for.
 */
export async function guardedSocket({
  host,
  port,
  shown,
  timeoutMs,
  mustEncrypt,
}: GuardedSocketOptions): Promise<Socket> {
  // The driver sends a statement in several small pieces, which would wait for each other's acknowledgement.
  const socket = connect({ host, port, noDelay: true });
  try {
    await within(timeoutMs, once(socket, 'connect'), () =>
      Object.assign(new Error(`no connection to ${shown} within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }),
    );
  } catch (error) {
    socket.destroy();
    throw error;
  }
  if (!mustEncrypt) return socket;
  let head = Buffer.alloc(0);
  const inspect = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const encryption = offeredEncryption(head);
    if (encryption === 'incomplete') return;
    socket.off('data', inspect);
    if (encryption === NOT_SUPPORTED) socket.destroy(refusal(shown));
  };
  socket.on('data', inspect);
  return socket;
}

/** What is said when encryption was asked for and there is none. */
export function refusal(shown: string): GridError {
  return new GridError(
    'source-tls-refused',
    `Connecting to SQL Server at ${shown}: the server does not support encryption, and HISTORY_MSSQL_URL asks for it. ` +
      'Set up a certificate at the server, or write encrypt=false if the network may be trusted.',
  );
}

/** The ENCRYPTION option of a PRELOGIN reply; undefined when it has none or this is no such reply. */
export function offeredEncryption(bytes: Buffer): number | 'incomplete' | undefined {
  if (bytes.length < HEADER_BYTES) return 'incomplete';
  if (bytes[0] !== REPLY) return undefined;
  const packetLength = bytes.readUInt16BE(2);
  if (bytes.length < packetLength) return 'incomplete';
  const payload = bytes.subarray(HEADER_BYTES, packetLength);
  // Options of 5 bytes each: token, offset and length of the value within the payload.
  for (let at = 0; at + 5 <= payload.length && payload[at] !== TERMINATOR; at += 5) {
    if (payload[at] === ENCRYPTION) return payload[payload.readUInt16BE(at + 1)];
  }
  return undefined;
}
