import { connect } from 'node:net';
import type { Probe } from '../server.ts';
import { parseAddress } from '../settings.ts';

const PROTOCOL_3_0 = 196_608;
const TIMEOUT_MS = 4000;

/**
 * Starts a session as the URL says and looks at the first thing that comes back (PostgreSQL's frontend/backend protocol 3.0,
 * message formats). A server that asks for a password or does not know the database is a ready PostgreSQL all the same.
 */
export function probePostgres(url: string): Promise<Probe> {
  const { username, pathname } = new URL(url);
  const user = username === '' ? 'postgres' : decodeURIComponent(username);
  const database = pathname.length > 1 ? decodeURIComponent(pathname.slice(1)) : user;
  return new Promise((resolve) => {
    const socket = connect({ ...parseAddress(url), timeout: TIMEOUT_MS });
    let received = Buffer.alloc(0);
    const finish = (probe: Probe): void => {
      socket.destroy();
      resolve(probe);
    };
    socket.once('connect', () => socket.write(startupMessage(user, database)));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const probe = judge(received);
      if (probe !== undefined) finish(probe);
      else if (received.length > 65_536)
        finish({ kind: 'not-ready', reason: 'it does not speak the PostgreSQL protocol' });
    });
    socket.once('timeout', () => {
      finish({ kind: 'not-ready', reason: `no answer within ${TIMEOUT_MS} ms` });
    });
    socket.once('error', (error) => {
      finish({ kind: 'not-ready', reason: error.message });
    });
    socket.once('close', () => {
      finish({ kind: 'not-ready', reason: 'it closed the connection' });
    });
  });
}

function startupMessage(user: string, database: string): Buffer {
  const parameters = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + parameters.length, 0);
  head.writeInt32BE(PROTOCOL_3_0, 4);
  return Buffer.concat([head, parameters]);
}

function judge(received: Buffer): Probe | undefined {
  if (received.length < 5) return undefined;
  const kind = String.fromCharCode(received[0] ?? 0);
  const length = received.readInt32BE(1);
  if ((kind !== 'R' && kind !== 'E') || length < 4 || length > 30_000) {
    return { kind: 'not-ready', reason: 'it does not speak the PostgreSQL protocol' };
  }
  if (received.length < 1 + length) return undefined;
  if (kind === 'R') return { kind: 'ready' };
  const fields = received.toString('utf8', 5, 1 + length).split('\0');
  const field = (letter: string): string => fields.find((text) => text.startsWith(letter))?.slice(1) ?? '';
  const sqlState = field('C');
  // 57P03: starting up or shutting down; 53…: out of connections or memory.
  if (sqlState.startsWith('57') || sqlState.startsWith('53')) return { kind: 'not-ready', reason: field('M') };
  return { kind: 'ready' };
}
