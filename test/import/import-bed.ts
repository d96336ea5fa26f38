import { randomBytes, randomUUID } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { Client } from 'pg';
import { createImportActivities } from '../../activities/import/create.ts';
import type { ImportDependencies, SplitOutcome } from '../../activities/import/dependencies.ts';
import { partFile } from '../../activities/import/staging/paths.ts';
import { WorkDirectory } from '../../activities/import/staging/work-directory.ts';
import { PostgresSource } from '../../connectors/postgres/source.ts';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import type {
  ImportActivities,
  ImportRun,
  SnapshotTaken,
  SplitStretch,
} from '../../workflows/import/activity-contract.ts';
import { importInput, type ImportInput } from '../../workflows/import/input.ts';
import type {
  HeldSnapshot,
  SnapshotReader,
  SourceSnapshot,
  SqlSource,
  TableId,
} from '../../grid/history/sql-source.ts';
import { loadConfig, type Config } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { FaultProxy } from '../support/fault-proxy.ts';

const silent = createLogger({ name: 'test', level: 'silent', format: 'json' });

/** How an activity is run. */
export interface Execution {
  /** What the attempt before told. */
  readonly heartbeatDetails?: unknown;
  readonly onHeartbeat?: (details: unknown, cancel: (reason?: 'CANCELLED' | 'WORKER_SHUTDOWN') => void) => void;
}

/**
 * The activities of the import over a real PostgreSQL database and an HDFS directory of their own, with a proxy in front of HDFS
 * that can do harm. Nothing of Temporal but an activity's context.
 */
export class ImportBed {
  readonly importsDirectory: string;
  readonly config: Config;
  readonly proxy: FaultProxy;
  /** Straight to the cluster. */
  readonly direct: HdfsClient;
  readonly sql: Client;
  readonly source: SqlSource;
  /** What became of splits, oldest first. */
  readonly outcomes: SplitOutcome[] = [];
  verificationFailures = 0;
  readonly signals: SnapshotTaken[] = [];
  onSignal: () => Promise<void> = () => Promise.resolve();
  /** Who reads the source; undefined: whom the configuration names. */
  role: string | undefined;
  readonly deps: ImportDependencies;
  readonly #roles: string[] = [];
  readonly #database: string;
  readonly #admin: Client;
  readonly #held: HeldSnapshot[] = [];
  #runs = 0;

  private constructor(fields: {
    config: Config;
    proxy: FaultProxy;
    sql: Client;
    admin: Client;
    database: string;
    hivePrefix: string;
  }) {
    const { config, proxy, hivePrefix } = fields;
    this.config = config;
    this.proxy = proxy;
    this.sql = fields.sql;
    this.#admin = fields.admin;
    this.#database = fields.database;
    this.importsDirectory = `/test-import-${randomUUID()}`;
    const { WEBHDFS_URL: nameNodeUrls, HDFS_USER: user } = config;
    this.direct = new HdfsClient({ nameNodeUrls, user });
    this.source = this.#openSource();
    this.deps = {
      options: {
        importsDirectory: this.importsDirectory,
        hiveDatabasePrefix: hivePrefix,
        sources: ['postgres'],
        maxConnections: 3,
        splitRows: 1_000,
        telemetry: {},
      },
      hdfs: new HdfsClient({
        nameNodeUrls: [proxy.url],
        user,
        callTimeoutMs: 60_000,
        idleTimeoutMs: 60_000,
        retryMinDelayMs: 20,
        retryMaxDelayMs: 100,
      }),
      hive: new HiveClient({ url: config.HIVE_URL, user, callTimeoutMs: 180_000, logger: silent }),
      openSource: () => this.#openSource(),
      signalSnapshot: (_, taken) => {
        this.signals.push(taken);
        return this.onSignal();
      },
      logger: silent,
      observer: {
        splitDone: (outcome) => this.outcomes.push(outcome),
        splitFailedVerification: () => this.verificationFailures++,
        snapshotTaken: () => undefined,
        snapshotLost: () => undefined,
      },
    };
  }

  /** @param environment over the process's own */
  static async open(environment: Readonly<Record<string, string>> = {}): Promise<ImportBed> {
    const config = loadConfig({ ...process.env, ...environment });
    const name = `test_import_${randomBytes(5).toString('hex')}`;
    const admin = new Client(config.HISTORY_POSTGRES_URL);
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name}`);
    const url = new URL(config.HISTORY_POSTGRES_URL);
    url.pathname = `/${name}`;
    const sql = new Client(url.href);
    await sql.connect();
    const proxy = await FaultProxy.start(config.WEBHDFS_URL[0] ?? '');
    const own = { ...config, HISTORY_POSTGRES_URL: url.href };
    return new ImportBed({ config: own, proxy, sql, admin, database: name, hivePrefix: name });
  }

  async end(): Promise<void> {
    const { hdfs, hive, options } = this.deps;
    for (const held of this.#held) await held.release();
    await this.source.close();
    await this.sql.end();
    await this.#admin.query(`DROP DATABASE ${this.#database} WITH (FORCE)`);
    for (const role of this.#roles) await this.#admin.query(`DROP ROLE ${role}`);
    await this.#admin.end();
    for (const suffix of ['postgres', 'postgres_runs']) {
      await hive.execute(`DROP DATABASE IF EXISTS ${options.hiveDatabasePrefix}_${suffix} CASCADE`);
    }
    await hive.close();
    await this.direct.delete(this.importsDirectory, { recursive: true });
    await Promise.all([hdfs.close(), this.direct.close()]);
    await this.proxy.close();
  }

  /** A run of its own; `over` takes up another's. */
  run(input: Partial<ImportInput> = {}, over: Partial<ImportRun> = {}): ImportRun {
    const runId = `2026-01-01-${String(++this.#runs).padStart(12, '0')}`;
    return {
      source: 'postgres',
      runId,
      workflowId: `test-${runId}`,
      workflowRunId: runId,
      businessDate: '2026-01-01',
      input: importInput.parse(input),
      ...over,
    };
  }

  /** A table of `rows` rows, about 100 to a page. */
  async createTable(name: string, rows: number): Promise<TableId> {
    await this.sql.query(`CREATE TABLE ${name} (id int PRIMARY KEY, sensor text, value numeric(12,4), note text)`);
    await this.insert(name, 1, rows);
    return { schema: 'public', name };
  }

  async insert(name: string, first: number, last: number): Promise<void> {
    await this.sql.query(
      `INSERT INTO ${name} SELECT n, 'sensor-' || n % 7, n / 3.0, CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE repeat('x', n % 40) END
       FROM generate_series($1::int, $2::int) AS n`,
      [first, last],
    );
  }

  /** A role of the server that has no rights yet, gone at the end. */
  async createRole(name: string): Promise<string> {
    const role = `${this.#database}_${name}`;
    await this.#admin.query(`CREATE ROLE ${role} LOGIN`);
    this.#roles.push(role);
    return role;
  }

  /** Holds a snapshot until {@link end}, or until it is released. */
  async hold(): Promise<HeldSnapshot> {
    const held = await this.source.hold(new AbortController().signal);
    this.#held.push(held);
    return held;
  }

  /** Runs an activity in a context of its own. */
  inActivity<R>(body: (activities: ImportActivities) => Promise<R>, execution: Execution = {}): Promise<R> {
    const environment = new MockActivityEnvironment(
      { heartbeatDetails: execution.heartbeatDetails },
      { logger: new DefaultLogger('ERROR') },
    );
    environment.on('heartbeat', (details: unknown) => {
      execution.onHeartbeat?.(details, (reason = 'CANCELLED') => {
        environment.cancel(reason, new ActivityCancellationDetails({ cancelRequested: reason === 'CANCELLED' }));
      });
    });
    return environment.run(() => body(createImportActivities(this.deps)));
  }

  /** Uses a reader of the source at a snapshot of its own. */
  async reading<T>(use: (reader: SnapshotReader) => Promise<T>): Promise<T> {
    const reader = await this.source.read(undefined, new AbortController().signal);
    try {
      return await use(reader);
    } finally {
      await reader.close();
    }
  }

  async plan(run: ImportRun, table: TableId, snapshot: SourceSnapshot) {
    const planned = await this.inActivity((activities) => activities.planTable({ run, table, snapshot }));
    if (planned.kind !== 'planned') throw new Error(`the table is ${planned.kind}`);
    return planned;
  }

  bring(stretch: Omit<SplitStretch, 'skip'> & { readonly skip?: readonly number[] }, execution: Execution = {}) {
    return this.inActivity((activities) => activities.bringSplits({ skip: [], ...stretch }), execution);
  }

  /** Plans a table and brings all its splits. */
  async copy(run: ImportRun, table: TableId, snapshot: SourceSnapshot): Promise<SplitStretch> {
    const { splits } = await this.plan(run, table, snapshot);
    const stretch = { run, table, from: 0, to: splits, skip: [], snapshot };
    await this.bring(stretch);
    return stretch;
  }

  work(run: ImportRun, table: TableId): WorkDirectory {
    return new WorkDirectory(this.direct, this.importsDirectory, run, table);
  }

  /** Lines of the files in `data/`, in the order of splits. */
  async lines(run: ImportRun, table: TableId): Promise<string[]> {
    const work = this.work(run, table);
    const lines: string[] = [];
    for (const split of [...(await work.dataFiles()).keys()].sort((a, b) => a - b)) {
      const bytes = await this.direct.readFile(`${work.dataDirectory}/${partFile(split)}`, { maxBytes: 1 << 26 });
      const text = gunzipSync(bytes).toString('utf8');
      if (!text.endsWith('\n')) throw new Error(`split ${split} does not end with a line`);
      lines.push(...text.slice(0, -1).split('\n'));
    }
    return lines;
  }

  /** What those lines should be, in the table's physical order, by a query of its own. */
  async expectedLines(name: string): Promise<string[]> {
    const { rows } = await this.sql.query<{ line: string }>(
      `SELECT concat_ws(E'\\t', id::text, coalesce(sensor, '\\N'), coalesce(value::text, '\\N'), coalesce(note, '\\N')) AS line FROM ${name} ORDER BY ctid`,
    );
    return rows.map(({ line }) => line);
  }

  async namesIn(directory: string): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of this.direct.list(directory)) names.push(name);
    return names;
  }

  /** Takes the outcomes so far. */
  takeOutcomes(): string[] {
    return this.outcomes.splice(0).map(({ outcome }) => outcome);
  }

  /** Sessions of ours in the test's database, apart from the test's own. */
  async sourceSessions(): Promise<string[]> {
    const { rows } = await this.#admin.query<{ state: string; query: string }>(
      `SELECT state, query FROM pg_stat_activity WHERE datname = $1 AND pid <> $2 AND backend_type = 'client backend'`,
      [this.#database, await this.#ownPid()],
    );
    return rows.map(({ state, query }) => `${state}: ${query}`);
  }

  /** Cuts all sessions of ours in the test's database but the test's own. */
  async terminateSessions(): Promise<void> {
    await this.#admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2 AND backend_type = 'client backend'`,
      [this.#database, await this.#ownPid()],
    );
  }

  async #ownPid(): Promise<number> {
    const { rows } = await this.sql.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    return rows[0]?.pid ?? 0;
  }

  #openSource(): SqlSource {
    const url = new URL(this.config.HISTORY_POSTGRES_URL);
    if (this.role !== undefined) url.username = this.role;
    const { HISTORY_CONNECT_TIMEOUT_MS: connectTimeoutMs } = this.config;
    return new PostgresSource({ url: url.href, connectTimeoutMs, logger: silent });
  }
}
