import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { MongoClient } from 'mongodb';
import tar from 'tar-stream';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { ContentDocument, PathDocument } from '../../connectors/mongodb/legacy-catalogue.ts';
import { TemporalClient } from '../../connectors/temporal/client.ts';
import { loadConfig } from '../../runtime/config.ts';
import type { DiscoveryResult } from '../../workflows/discovery/contract.ts';
import { WorkerProcess } from '../support/worker-process.ts';

const config = loadConfig();

/**
 * Discovery as it runs: batch workers as processes of their own, on a task queue, directories and a catalogue of the test's own, and a share that the
 * test fills.
 */
export class DiscoveryBed {
  /** Of the share, on this machine. */
  readonly share: string;
  /** What is landed, in HDFS. */
  readonly landing = `/test-discovery-${randomUUID()}`;
  readonly hdfs = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: config.HDFS_USER });
  readonly client: TemporalClient;
  readonly environment: Readonly<Record<string, string>>;
  readonly #database = `test_legacy_${randomUUID().slice(0, 8)}`;
  readonly #directory = mkdtempSync(join(tmpdir(), 'discovery-'));
  readonly #mongodb = new MongoClient(config.MONGODB_URL);
  readonly #taskQueue = `discovery-test-${randomUUID()}`;
  readonly #workers: WorkerProcess[] = [];

  /** @param share that is configured, in place of the one on this machine */
  constructor(share?: string) {
    this.share = join(this.#directory, 'share');
    this.client = new TemporalClient({
      address: config.TEMPORAL_ADDRESS[0] ?? '',
      namespace: config.TEMPORAL_NAMESPACE,
      identity: 'test',
    });
    this.environment = {
      TEMPORAL_TASK_QUEUE: this.#taskQueue,
      HDFS_UNORGANIZED_DIRECTORY: this.landing,
      MONGODB_LEGACY_DATABASE: this.#database,
      LEGACY_SHARE: share ?? this.share,
      LEGACY_WORK_DIRECTORY: join(this.#directory, 'work'),
      NIGHTLY_IMPORT: 'off',
      NIGHTLY_VIEWS: 'off',
      NIGHTLY_COMPACTION: 'off',
      NIGHTLY_IMPORT_SCHEDULE_ID: `discovery-test-${randomUUID()}`,
      LOG_LEVEL: 'warn',
    };
  }

  startWorker(more: Readonly<Record<string, string>> = {}): WorkerProcess {
    const worker = new WorkerProcess('npm:worker:batch', { ...this.environment, ...more });
    this.#workers.push(worker);
    return worker;
  }

  /** Puts a file into the share. @param name a path of text, or of bytes */
  async put(name: string | Buffer, bytes: Buffer | string): Promise<Buffer> {
    const path = Buffer.concat([Buffer.from(`${this.share}/`), Buffer.from(name)]);
    await mkdir(path.subarray(0, path.lastIndexOf(0x2f)), { recursive: true });
    await writeFile(path, bytes);
    return path;
  }

  async start(input?: unknown, workflowType = 'discoverLegacyFiles'): Promise<WorkflowHandle> {
    return this.client.sdk.workflow.start(workflowType, {
      taskQueue: this.#taskQueue,
      workflowId: `discovery-test-${randomUUID()}`,
      args: input === undefined ? [] : [input],
    });
  }

  async crawl(input?: unknown): Promise<DiscoveryResult> {
    return (await (await this.start(input)).result()) as DiscoveryResult;
  }

  async run<T>(workflowType: string, input: unknown): Promise<T> {
    return (await (await this.start(input, workflowType)).result()) as T;
  }

  /** Code and message that a job fails with. */
  async failure(input: unknown, workflowType?: string): Promise<{ readonly code: string; readonly message: string }> {
    try {
      await (await this.start(input, workflowType)).result();
    } catch (error) {
      let cause: unknown = error instanceof WorkflowFailedError ? error.cause : error;
      while (cause instanceof Error && !(cause instanceof ApplicationFailure) && cause.cause !== undefined) {
        cause = cause.cause;
      }
      if (cause instanceof ApplicationFailure) return { code: cause.type ?? '', message: cause.message };
      throw error;
    }
    throw new Error('it did not fail');
  }

  contents(): Promise<ContentDocument[]> {
    return this.#mongodb.db(this.#database).collection<ContentDocument>('files').find().toArray();
  }

  async rows(): Promise<ReadonlyMap<string, PathDocument>> {
    const rows = await this.#mongodb.db(this.#database).collection<PathDocument>('paths').find().toArray();
    return new Map(rows.map((row) => [row.path.replace(`file:${this.share}/`, ''), row]));
  }

  /** What lies in HDFS, by the hash that its name says: hashed anew here, in packs and by itself. */
  async landed(): Promise<readonly { readonly named: string; readonly hash: string; readonly bytes: number }[]> {
    const found: { named: string; hash: string; bytes: number }[] = [];
    for (const path of await this.files()) {
      if (/\/(?:text|telemetry-rows|reports|fetched)\//.test(path)) continue;
      const bytes = await this.hdfs.readFile(path, { maxBytes: 1 << 30 });
      if (!path.endsWith('.tar') || !path.includes('/packs/')) {
        found.push({ named: nameIn(path), hash: sha256(bytes), bytes: bytes.length });
        continue;
      }
      const extract = tar.extract();
      extract.end(bytes);
      for await (const entry of extract) {
        const chunks: Buffer[] = [];
        for await (const chunk of entry) chunks.push(chunk as Buffer);
        const content = Buffer.concat(chunks);
        found.push({ named: nameIn(entry.header.name), hash: sha256(content), bytes: content.length });
      }
    }
    return found;
  }

  /** All files below the landing directory. */
  async files(directory = this.landing): Promise<readonly string[]> {
    const files: string[] = [];
    for await (const { path, type } of this.hdfs.list(directory)) {
      if (type === 'directory') files.push(...(await this.files(path)));
      else files.push(path);
    }
    return files;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.filter(({ isRunning }) => isRunning).map((worker) => worker.kill()));
    await this.hdfs.delete(this.landing, { recursive: true });
    await this.#mongodb.db(this.#database).dropDatabase();
    await Promise.all([this.#mongodb.close(), this.hdfs.close(), this.client.close()]);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\..*$/, '');
}
