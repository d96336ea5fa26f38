import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net';

/**
 * What the socket emits in place of `data` while someone listens for it: bytes in memory that the next read overwrites. They
 * stay as they are until the listener returns, and on as long as the socket is paused.
 */
export const BORROWED = 'borrowed';

const READ_BYTES = 64 << 10;

/**
 * A socket that reads into the same memory again and again. By default Node takes new memory for each read, which on a long
 * COPY makes V8 collect all garbage several times a second: measured, a third of the worker's CPU time in an import. Whoever listens for
 * `data`, as the driver does, gets copies, as from any socket.
 */
export function reusingSocket(): Socket {
  // Known to the constructor, and documented of `connect`, which the driver calls.
  const options: SocketConstructorOpts & Pick<ConnectOpts, 'onread'> = {
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (bytes, { buffer, byteOffset }) => {
        const read = Buffer.from(buffer, byteOffset, bytes);
        if (!socket.emit(BORROWED, read)) socket.emit('data', Buffer.from(read));
        return true;
      },
    },
  };
  const socket = new Socket(options);
  return socket;
}
