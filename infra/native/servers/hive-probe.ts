import { connect } from 'node:net';
import type { Probe } from '../server.ts';
import type { Address } from '../settings.ts';

const TIMEOUT_MS = 8000;
const CALL = 0x80010001;
const REPLY = 0x80010002;
/** HIVE_CLI_SERVICE_PROTOCOL_V10 in TCLIService.thrift. */
const PROTOCOL_V10 = 9;
const TYPE_I32 = 8;
const TYPE_STRING = 11;
const TYPE_STRUCT = 12;

/**
 * Opens a session, for which HiveServer2 has to reach its metastore, and closes it by closing the connection (TCLIService
 * `OpenSession` in Thrift's strict binary protocol, without SASL). A server that asks for SASL is ready all the same.
 */
export function probeHive(address: Address, user: string): Promise<Probe> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: TIMEOUT_MS });
    let received = Buffer.alloc(0);
    const finish = (probe: Probe): void => {
      socket.destroy();
      resolve(probe);
    };
    socket.once('connect', () => socket.write(openSessionCall(user)));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const probe = judge(received);
      if (probe !== undefined) finish(probe);
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

function openSessionCall(user: string): Buffer {
  const i32 = (value: number): Buffer => {
    const buffer = Buffer.alloc(4);
    buffer.writeInt32BE(value);
    return buffer;
  };
  const string = (text: string): Buffer => Buffer.concat([i32(Buffer.byteLength(text)), Buffer.from(text)]);
  const field = (type: number, id: number): Buffer => Buffer.from([type, id >> 8, id & 0xff]);
  const stop = Buffer.from([0]);
  return Buffer.concat([
    ...[i32(CALL | 0), string('OpenSession'), i32(1)],
    ...[field(TYPE_STRUCT, 1), field(TYPE_I32, 1), i32(PROTOCOL_V10), field(TYPE_STRING, 2), string(user), stop, stop],
  ]);
}

/** Reply head (version, name, sequence), then field 0: response { field 1: status { field 1: statusCode } }. */
function judge(received: Buffer): Probe | undefined {
  const first = received[0];
  if (first === undefined) return undefined;
  // SASL negotiation statuses BAD and ERROR.
  if (first === 3 || first === 4) return { kind: 'ready' };
  if (first !== 0x80) return { kind: 'not-ready', reason: 'it does not speak the HiveServer2 protocol' };
  const statusAt = 4 + 4 + 'OpenSession'.length + 4 + 3 + 3 + 3;
  if (received.length < statusAt + 4) return undefined;
  if (received.readUInt32BE(0) !== REPLY) return { kind: 'not-ready', reason: 'it refused to open a session' };
  const statusCode = received.readInt32BE(statusAt);
  // SUCCESS and SUCCESS_WITH_INFO.
  return statusCode <= 1
    ? { kind: 'ready' }
    : { kind: 'not-ready', reason: `opening a session gave status ${statusCode}` };
}
