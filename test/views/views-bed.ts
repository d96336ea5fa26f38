import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createViewsActivities } from '../../activities/views/create.ts';
import type { ViewsDependencies } from '../../activities/views/dependencies.ts';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { parseHiveUrl } from '../../connectors/hive/address.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';
import { failuresByCode } from '../../connectors/temporal/activity-failures.ts';
import { TemporalClient } from '../../connectors/temporal/client.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { readingPlacer } from '../../streaming/sinks/hdfs/placement.ts';
import { projectWorkflowBundle } from '../../workers/batch/workflow-bundle.ts';
import type { ViewsResult } from '../../workflows/views/contract.ts';
import { TOPIC, WriterBed } from '../hdfs-sink/writer-bed.ts';
import { batchOf, contextOf, LIMITS, routesOf } from '../support/partitions.ts';
import { failureOf, type JobFailure } from '../support/job-failure.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const config = loadConfig();
const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });

Runtime.install({ logger: new DefaultLogger('ERROR') });

/**
 * `buildBatchViews` as it runs, over files that the HDFS sink's own writer has written, on a task queue, directories and schemas of the test's own,
 * with a proxy before Hive that can do harm.
 */
export class ViewsBed {
  readonly hiveDatabase = `test_views_${randomUUID().slice(0, 8)}`;
  readonly files = new WriterBed();
  readonly serving = new ServingDatabase({
    url: config.SERVING_DATABASE_URL,
    schema: `test_views_${randomUUID().slice(0, 8)}`,
    maxConnections: 4,
    timeoutMs: 300_000,
    applicationName: 'test',
  });
  /** Straight to Hive. */
  readonly hive: HiveClient;
  readonly proxy: TcpProxy;
  readonly client: TemporalClient;
  readonly #throughProxy: HiveClient;
  readonly #connection: NativeConnection;
  readonly #taskQueue = `views-test-${randomUUID()}`;
  #ended: Promise<void> = Promise.resolve();
  #worker: Worker | undefined;

  private constructor(proxy: TcpProxy, connection: NativeConnection, address: string) {
    this.proxy = proxy;
    this.#connection = connection;
    const hive = { user: config.HDFS_USER, callTimeoutMs: 300_000, logger };
    this.hive = new HiveClient({ ...hive, url: config.HIVE_URL });
    this.#throughProxy = new HiveClient({ ...hive, url: `hive2://${proxy.address}` });
    this.client = new TemporalClient({ address, namespace: config.TEMPORAL_NAMESPACE, identity: 'test' });
  }

  /** @param topic whose readings are added up; default that of the bed's own files */
  static async open(topic = TOPIC): Promise<ViewsBed> {
    const { host, port } = parseHiveUrl(config.HIVE_URL, config.HDFS_USER);
    const address = config.TEMPORAL_ADDRESS[0] ?? '';
    const [proxy, connection, bundle] = await Promise.all([
      TcpProxy.start({ targetHost: host, targetPort: port }),
      NativeConnection.connect({ address }),
      projectWorkflowBundle(config, logger),
    ]);
    const bed = new ViewsBed(proxy, connection, address);
    await bed.serving.migrate();
    bed.#worker = await Worker.create({
      connection,
      namespace: config.TEMPORAL_NAMESPACE,
      taskQueue: bed.#taskQueue,
      workflowBundle: { codePath: bundle },
      activities: createViewsActivities({ ...bed.dependencies, topic, hive: bed.#throughProxy }),
      interceptors: { activity: [failuresByCode] },
      maxHeartbeatThrottleInterval: 200,
      shutdownGraceTime: 1_000,
    });
    bed.#ended = bed.#worker.run();
    return bed;
  }

  /** What the activities need, with a Hive of their own. */
  get dependencies(): ViewsDependencies {
    return {
      hdfs: this.hdfs,
      hive: this.hive,
      serving: this.serving,
      topicsDirectory: this.files.topicsDirectory,
      topic: TOPIC,
      analysisDirectory: `${this.files.topicsDirectory}-analysis`,
      database: this.hiveDatabase,
    };
  }

  get hdfs(): HdfsClient {
    return this.files.hdfs;
  }

  /** Lets the sink's writer read envelopes from the end of what it has of a partition, and commit them. @returns their last offset */
  async commit(envelopes: readonly string[], partition = 0, hdfsPath?: string): Promise<number> {
    const routes = routesOf(hdfsPath === undefined ? {} : { default: { hdfsPath } });
    const writer = this.files.writer(
      { placer: readingPlacer(routes, { ...LIMITS, stored: true }) },
      contextOf('test', TOPIC, partition),
    );
    const first = await writer.open();
    await writer.process(batchOf(TOPIC, envelopes, first, partition));
    await writer.close({ kind: 'stopped' });
    return first + envelopes.length - 1;
  }

  /** Sets the time at which HDFS says that a path was changed. */
  async setModified(path: string, epochMs: number): Promise<void> {
    const query = `op=SETTIMES&modificationtime=${epochMs}&accesstime=-1&user.name=powergrid`;
    const reply = await fetch(`${config.WEBHDFS_URL[0] ?? ''}/webhdfs/v1${path}?${query}`, { method: 'PUT' });
    if (!reply.ok) throw new Error(`SETTIMES of ${path} answered ${reply.status}`);
  }

  start(input?: unknown): Promise<WorkflowHandle> {
    return this.client.sdk.workflow.start('buildBatchViews', {
      taskQueue: this.#taskQueue,
      workflowId: `views-test-${randomUUID()}`,
      args: input === undefined ? [] : [input],
    });
  }

  async build(input?: unknown): Promise<ViewsResult> {
    return (await (await this.start(input)).result()) as ViewsResult;
  }

  /** Code and message that a build fails with. */
  failure(input: unknown): Promise<JobFailure> {
    return failureOf(this.build(input));
  }

  /** What builds have left in Hive, HDFS and PostgreSQL. */
  async leftovers(): Promise<readonly string[]> {
    const databases = await this.hive.rows(`SHOW DATABASES LIKE '${this.hiveDatabase}'`);
    const tables = databases.length === 0 ? [] : await this.hive.rows(`SHOW TABLES IN ${this.hiveDatabase}`);
    const directories: string[] = [];
    const builds = `${this.files.topicsDirectory}-analysis/views`;
    if ((await this.hdfs.status(builds)) !== undefined) {
      for await (const { path } of this.hdfs.list(builds)) directories.push(path);
    }
    const relations = await this.serving.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE quote_ident(schemaname) = $1 AND tablename LIKE 'views\\_%'`,
      [this.serving.schema],
    );
    return [...tables.map(([name]) => name ?? ''), ...directories, ...relations.map(({ name }) => name)];
  }

  /** Begins anew: no files, no views. */
  async clear(): Promise<void> {
    await this.files.clear();
    await this.serving.query(`DROP SCHEMA IF EXISTS ${this.serving.schema} CASCADE`);
    await this.serving.migrate();
  }

  async close(): Promise<void> {
    this.#worker?.shutdown();
    await this.#ended;
    await this.hive.execute(`DROP DATABASE IF EXISTS ${this.hiveDatabase} CASCADE`);
    await this.hdfs.delete(`${this.files.topicsDirectory}-analysis`, { recursive: true });
    await this.serving.query(`DROP SCHEMA IF EXISTS ${this.serving.schema} CASCADE`);
    await Promise.all([this.hive.close(), this.#throughProxy.close(), this.serving.close(), this.files.close()]);
    await this.proxy.close();
    await this.#connection.close();
    await this.client.close();
  }
}
