import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createTablesActivities } from '../../activities/tables/create.ts';
import type { TablesDependencies } from '../../activities/tables/dependencies.ts';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { parseHiveUrl } from '../../connectors/hive/address.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import { failuresByCode } from '../../connectors/temporal/activity-failures.ts';
import { TemporalClient } from '../../connectors/temporal/client.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { projectWorkflowBundle } from '../../workers/batch/workflow-bundle.ts';
import type { TableResult, TablesResult } from '../../workflows/tables/contract.ts';
import { failureOf, type JobFailure } from '../support/job-failure.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const config = loadConfig();
const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** `buildHiveTables` as it runs, on a task queue, directories and a database of the test's own, with a proxy before Hive that can do harm. */
export class TablesBed {
  readonly directory = `/test-tables-${randomUUID()}`;
  readonly database = `test_tables_${randomUUID().slice(0, 8)}`;
  readonly hdfs: HdfsClient;
  /** Straight to Hive. */
  readonly hive: HiveClient;
  readonly proxy: TcpProxy;
  readonly client: TemporalClient;
  /** What the activities have: Hive through the proxy. */
  readonly deps: TablesDependencies;
  readonly #throughProxy: HiveClient;
  readonly #connection: NativeConnection;
  readonly #taskQueue = `tables-test-${randomUUID()}`;
  #ended: Promise<void> = Promise.resolve();
  #worker: Worker | undefined;

  private constructor(proxy: TcpProxy, connection: NativeConnection, address: string) {
    this.proxy = proxy;
    this.#connection = connection;
    this.hdfs = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: config.HDFS_USER });
    const hive = { user: config.HDFS_USER, callTimeoutMs: 300_000, logger };
    this.hive = new HiveClient({ ...hive, url: config.HIVE_URL });
    this.#throughProxy = new HiveClient({ ...hive, url: `hive2://${proxy.address}` });
    this.client = new TemporalClient({ address, namespace: config.TEMPORAL_NAMESPACE, identity: 'test' });
    this.deps = {
      hdfs: this.hdfs,
      hive: this.#throughProxy,
      database: this.database,
      analysisDirectory: `${this.directory}/analysis`,
      sampleTextsDirectory: `${this.directory}/samples`,
      unorganizedDirectory: `${this.directory}/unorganized`,
      importsDirectory: `${this.directory}/imports`,
      hiveDatabasePrefix: `${this.database}_history`,
      readings: {
        hdfs: this.hdfs,
        hive: this.#throughProxy,
        topicsDirectory: `${this.directory}/topics`,
        topic: 'INGESTION',
        analysisDirectory: `${this.directory}/analysis`,
        database: this.database,
        workDatabase: this.database,
        graceMs: 60_000,
      },
    };
  }

  static async open(): Promise<TablesBed> {
    const { host, port } = parseHiveUrl(config.HIVE_URL, config.HDFS_USER);
    const address = config.TEMPORAL_ADDRESS[0] ?? '';
    const [proxy, connection, bundle] = await Promise.all([
      TcpProxy.start({ targetHost: host, targetPort: port }),
      NativeConnection.connect({ address }),
      projectWorkflowBundle(config, logger),
    ]);
    const bed = new TablesBed(proxy, connection, address);
    bed.#worker = await Worker.create({
      connection,
      namespace: config.TEMPORAL_NAMESPACE,
      taskQueue: bed.#taskQueue,
      workflowBundle: { codePath: bundle },
      activities: createTablesActivities(bed.deps),
      interceptors: { activity: [failuresByCode] },
      maxHeartbeatThrottleInterval: 200,
      shutdownGraceTime: 1_000,
    });
    bed.#ended = bed.#worker.run();
    return bed;
  }

  /** Puts a file below the bed's directory. @returns its path */
  async put(name: string, bytes: Buffer | string): Promise<string> {
    const path = `${this.directory}/${name}`;
    await this.hdfs.writeFile(path, Buffer.from(bytes), { createParent: true, overwrite: true });
    return path;
  }

  start(input?: unknown): Promise<WorkflowHandle> {
    return this.client.sdk.workflow.start('buildHiveTables', {
      taskQueue: this.#taskQueue,
      workflowId: `tables-test-${randomUUID()}`,
      args: input === undefined ? [] : [input],
    });
  }

  /** What came of each table, by its name without the database. */
  async build(input?: unknown): Promise<Readonly<Record<string, TableResult>>> {
    const { tables } = (await (await this.start(input)).result()) as TablesResult;
    return Object.fromEntries(tables.map((table) => [table.name.replace(`${this.database}.`, ''), table]));
  }

  async outcomes(input?: unknown): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries(Object.entries(await this.build(input)).map(([name, { outcome }]) => [name, outcome]));
  }

  /** Code and message that a build fails with. */
  failure(input: unknown): Promise<JobFailure> {
    return failureOf(this.build(input));
  }

  /** Runs a statement in which `@` stands for the database. */
  async run(sql: string): Promise<(string | null)[][]> {
    return this.hive.rows(sql.replaceAll('@', this.database));
  }

  async tables(): Promise<readonly string[]> {
    return (await this.run('SHOW TABLES IN @')).map(([name]) => name ?? '').sort();
  }

  /** Begins anew. */
  async clear(): Promise<void> {
    await this.run('DROP DATABASE IF EXISTS @ CASCADE');
    await this.hdfs.delete(this.directory, { recursive: true });
  }

  async close(): Promise<void> {
    this.#worker?.shutdown();
    await this.#ended;
    await this.clear();
    await Promise.all([this.hive.close(), this.#throughProxy.close(), this.hdfs.close()]);
    await this.proxy.close();
    await this.#connection.close();
    await this.client.close();
  }
}
