import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

const HANDSHAKE = 0x12;
const HEADER_BYTES = 8;
const FLIGHT_MS = 10;

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/**
 * The server's side of TLS as TDS 7 does it ([MS-TDS] 3.2.5.1): the handshake travels in PRELOGIN packets, and what follows
 * bare on the socket. From now on the socket belongs to what is returned.
 */
export function tlsOver(socket: Socket, { key, cert }: Certificate): TLSSocket {
  let handshaking = true;
  let incoming = Buffer.alloc(0);
  let outgoing: Buffer[] = [];
  const tunnel = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      if (!handshaking) {
        socket.write(chunk, () => {
          done();
        });
        return;
      }
      // The client expects all of a flight in one message, and TLS hands it over in pieces.
      outgoing.push(chunk);
      if (outgoing.length === 1) {
        setTimeout(() => {
          const flight = Buffer.concat(outgoing);
          outgoing = [];
          const head = Buffer.from([HANDSHAKE, 1, 0, 0, 0, 0, 1, 0]);
          head.writeUInt16BE(flight.length + HEADER_BYTES, 2);
          if (!socket.destroyed) socket.write(Buffer.concat([head, flight]));
        }, FLIGHT_MS);
      }
      done();
    },
  });
  socket.removeAllListeners('data');
  socket.on('data', (chunk: Buffer) => {
    if (handshaking && incoming.length === 0 && chunk[0] !== HANDSHAKE) handshaking = false;
    if (!handshaking) {
      tunnel.push(chunk);
      return;
    }
    incoming = Buffer.concat([incoming, chunk]);
    while (incoming.length >= HEADER_BYTES && incoming.length >= incoming.readUInt16BE(2)) {
      const length = incoming.readUInt16BE(2);
      tunnel.push(incoming.subarray(HEADER_BYTES, length));
      incoming = incoming.subarray(length);
    }
  });
  socket.on('close', () => tunnel.destroy());
  const secure = new TLSSocket(tunnel, { isServer: true, key, cert });
  secure.on('error', () => socket.destroy());
  return secure;
}
