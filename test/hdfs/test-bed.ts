import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { HdfsClient, type HdfsOptions, type HdfsRetry } from '../../connectors/hdfs/hdfs.ts';
import type { ErrorCode } from '../../grid/errors.ts';
import { loadConfig } from '../../runtime/config.ts';
import { FaultProxy } from '../support/fault-proxy.ts';

export const MIB = 1 << 20;

/** Long limits, for a machine that is busy; a test of what has to time out sets its own. */
const LIMITS = { callTimeoutMs: 60_000, idleTimeoutMs: 60_000, retryMinDelayMs: 20, retryMaxDelayMs: 100 };

/** A fault-injecting proxy in front of the real cluster, clients of both, and a directory of the test's own. */
export interface TestBed {
  readonly directory: string;
  readonly proxy: FaultProxy;
  /** Through the proxy. */
  readonly client: HdfsClient;
  /** Straight to the cluster, to see what is really there. */
  readonly direct: HdfsClient;
  readonly retries: HdfsRetry[];
  /** A further client through the proxy. */
  clientWith(options: Partial<HdfsOptions>): HdfsClient;
  end(): Promise<void>;
}

export async function openTestBed(): Promise<TestBed> {
  const { WEBHDFS_URL, HDFS_USER } = loadConfig();
  const directory = `/test-hdfs-${randomUUID()}`;
  const proxy = await FaultProxy.start(WEBHDFS_URL[0] ?? '');
  const retries: HdfsRetry[] = [];
  const clients: HdfsClient[] = [];
  const clientWith = (options: Partial<HdfsOptions>): HdfsClient => {
    const client = new HdfsClient({
      nameNodeUrls: [proxy.url],
      user: HDFS_USER,
      ...LIMITS,
      onRetry: (event) => retries.push(event),
      ...options,
    });
    clients.push(client);
    return client;
  };
  const direct = clientWith({ nameNodeUrls: WEBHDFS_URL });
  await direct.makeDirectory(directory);
  return {
    directory,
    proxy,
    client: clientWith({}),
    direct,
    retries,
    clientWith,
    async end() {
      await direct.delete(directory, { recursive: true });
      await Promise.all(clients.map((client) => client.close()));
      await proxy.close();
    },
  };
}

/** What a rejection with this code looks like. */
export function withCode(code: ErrorCode): unknown {
  return expect.objectContaining({ name: 'GridError', code });
}

/** Bytes that differ everywhere and are the same each time. */
export function pattern(lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(lengthBytes);
  for (let index = 0; index < lengthBytes; index++) bytes[index] = (index * 2_654_435_761) >>> 13;
  return bytes;
}

/** Writes `bytes` through a stream, in chunks. */
export async function writeThrough(
  client: HdfsClient,
  path: string,
  bytes: Buffer,
  chunkBytes = 100_003,
  blockSizeBytes = MIB,
): Promise<{ checksum: string; lengthBytes: number }> {
  const writer = await client.create(path, { blockSizeBytes });
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) await writer.write(bytes.subarray(at, at + chunkBytes));
    return await writer.close();
  } finally {
    await writer.abort();
  }
}

/** The body of a RemoteException. */
export function remoteException(exception: string, message: string): string {
  return JSON.stringify({ RemoteException: { exception, javaClassName: `org.apache.${exception}`, message } });
}
