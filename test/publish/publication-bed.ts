import { randomUUID } from 'node:crypto';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import {
  publish,
  type PublishDependencies,
  type PublishRequest,
} from '../../activities/import/publish/publish-table.ts';
import { readNewestCommit, type ImportCommit } from '../../activities/import/publish/commit-log.ts';
import { partFile, planIdOf, WorkDirectory, type SplitRecord } from '../../activities/import/staging/work-directory.ts';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import type { ImportRun, TableResult } from '../../workflows/import/activity-contract.ts';
import { importInput, type ImportInput, type TelemetryMapping } from '../../workflows/import/input.ts';
import type { SourceSnapshot, TableId, TablePlan } from '../../grid/history/sql-source.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';

export interface Column {
  readonly name: string;
  readonly hiveType: string;
  readonly sourceType?: string;
}

/** What a run brings of a table. */
export interface Brought {
  readonly columns: readonly Column[];
  readonly key?: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly publishAs?: 'full' | 'append' | 'merge';
  /** Rows of a split. Default: all in one. */
  readonly splitRows?: number;
  readonly sourceRows?: number;
  readonly telemetry?: TelemetryMapping;
  readonly input?: Partial<ImportInput>;
  /** Run to follow; default: the newest that is committed. */
  readonly basedOn?: string;
}

/** A field as the import writes it for Hive. */
export function hiveText(value: string | null): string {
  if (value === null) return String.raw`\N`;
  return value
    .replace(/\\/g, String.raw`\\`)
    .replace(/\n/g, String.raw`\n`)
    .replace(/\r/g, String.raw`\r`)
    .replace(/\t/g, '\\\t');
}

/** Real HDFS and Hive, with directories and databases of the test's own. */
export class PublicationBed {
  readonly importsDirectory = `/test-publish-${randomUUID()}`;
  readonly prefix = `test_${randomUUID().slice(0, 8).replaceAll('-', '')}`;
  readonly hdfs: HdfsClient;
  readonly hive: HiveClient;
  readonly deps: PublishDependencies;
  readonly #sessions: HiveClient[] = [];
  #runs = 0;

  constructor() {
    const { WEBHDFS_URL, HDFS_USER } = loadConfig();
    this.hdfs = new HdfsClient({
      nameNodeUrls: WEBHDFS_URL,
      user: HDFS_USER,
      callTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
    });
    this.hive = this.session('');
    this.deps = this.with({});
  }

  with(changed: Partial<Pick<PublishDependencies, 'hdfs' | 'hive'>>): PublishDependencies {
    return {
      hdfs: this.hdfs,
      hive: this.hive,
      logger: createLogger({ name: 'test', level: 'warn', format: 'json' }),
      options: { importsDirectory: this.importsDirectory, hiveDatabasePrefix: this.prefix },
      ...changed,
    };
  }

  /** A client whose sessions have further settings: `<name>=<value>`. */
  session(settings: string): HiveClient {
    const { HDFS_USER, HIVE_URL } = loadConfig();
    const logger = createLogger({ name: 'test', level: 'warn', format: 'json' });
    const url = `${HIVE_URL}${HIVE_URL.includes('?') ? '&' : '?'}${settings}`;
    const client = new HiveClient({ url, user: HDFS_USER, callTimeoutMs: 240_000, logger });
    this.#sessions.push(client);
    return client;
  }

  /** Lays a run's splits into its work directory, as copying does; what is published is the request's. */
  async bring(table: TableId, brought: Brought): Promise<PublishRequest> {
    const { columns, rows, publishAs = 'full', key = [] } = brought;
    const number = ++this.#runs;
    const runId = `2026-01-01-${String(number).padStart(12, '0')}`;
    const run: ImportRun = {
      source: 'postgres',
      runId,
      workflowId: `workflow-${number}`,
      workflowRunId: randomUUID(),
      businessDate: '2026-01-01',
      input: importInput.parse(brought.input ?? {}),
    };
    const snapshot: SourceSnapshot = {
      id: `snapshot-${number}`,
      position: `${number}:${number}:`,
      takenAt: `2026-01-01T00:00:${String(number % 60).padStart(2, '0')}Z`,
    };
    const work = new WorkDirectory(this.hdfs, this.importsDirectory, run, table);
    const splitRows = brought.splitRows ?? Math.max(1, rows.length);
    const splits = Math.max(1, Math.ceil(rows.length / splitRows));
    const plan: TablePlan = {
      table,
      columns: columns.map(({ name, hiveType, sourceType = 'text' }) => ({
        name,
        hiveType,
        sourceType,
        expression: '',
      })),
      remarks: [],
      key,
      identity: 'x',
      splits: Array.from({ length: splits }, (_, index) => ({ index })),
      estimatedRows: rows.length,
      estimatedBytes: 0,
    };
    const basedOn = brought.basedOn ?? (await this.commit(table))?.runId;
    const planId = planIdOf(plan);
    await work.writePlan({
      planId,
      plan,
      publishAs,
      product: 'PostgreSQL 15',
      database: 'history',
      fingerprint: 'fingerprint',
      plannedAt: snapshot,
      notes: [],
      keepUntilMs: Date.now() + 86_400_000,
      ...(brought.sourceRows === undefined ? {} : { sourceRows: brought.sourceRows }),
      ...(basedOn === undefined ? {} : { basedOn }),
      ...(brought.telemetry === undefined ? {} : { telemetry: brought.telemetry }),
    });
    const records: SplitRecord[] = [];
    for (let split = 0; split < splits; split++) {
      const own = rows.slice(split * splitRows, (split + 1) * splitRows);
      const text = own.map((row) => `${row.map(hiveText).join('\t')}\n`).join('');
      records.push({
        split,
        snapshotId: snapshot.id,
        position: snapshot.position,
        takenAt: snapshot.takenAt,
        rows: own.length,
        textBytes: Buffer.byteLength(text),
        digest: own.length === 0 ? '' : createHash('md5').update(text).digest('hex'),
        verified: true,
        ...(own.length === 0 ? { fileBytes: 0 } : await this.#write(`${work.dataDirectory}/${partFile(split)}`, text)),
      });
    }
    await work.writeRecords(planId, 0, splits, records);
    return { run, table, snapshot, publishAs };
  }

  publish(request: PublishRequest, deps: PublishDependencies = this.deps): Promise<TableResult> {
    return publish(deps, request);
  }

  /** Both at once. */
  async import(table: TableId, brought: Brought): Promise<TableResult> {
    return this.publish(await this.bring(table, brought));
  }

  commit(table: TableId): Promise<ImportCommit | undefined> {
    return readNewestCommit(this.hdfs, this.importsDirectory, 'postgres', table);
  }

  /** Names in a directory; none where it is missing. */
  async names(directory: string): Promise<readonly string[]> {
    if ((await this.hdfs.status(directory)) === undefined) return [];
    const names: string[] = [];
    for await (const { name } of this.hdfs.list(directory)) names.push(name);
    return names;
  }

  async end(): Promise<void> {
    for (const database of [`${this.prefix}_postgres`, `${this.prefix}_postgres_runs`]) {
      await this.hive.execute(`DROP DATABASE IF EXISTS ${database} CASCADE`);
    }
    await Promise.all(this.#sessions.map((client) => client.close()));
    await this.hdfs.delete(this.importsDirectory, { recursive: true });
    await this.hdfs.close();
  }

  async #write(path: string, text: string): Promise<Pick<SplitRecord, 'fileBytes' | 'fileId'>> {
    const { lengthBytes } = await this.hdfs.writeFile(path, gzipSync(text));
    const fileId = (await this.hdfs.status(path))?.fileId;
    return { fileBytes: lengthBytes, ...(fileId === undefined ? {} : { fileId }) };
  }
}
