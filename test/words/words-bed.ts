import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { MongoClient } from 'mongodb';
import { createWordsActivities } from '../../activities/words/create.ts';
import type { WordsDependencies } from '../../activities/words/dependencies.ts';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { parseHiveUrl } from '../../connectors/hive/address.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';
import { KeptDocuments } from '../../connectors/mongodb/kept-documents.ts';
import { failuresByCode } from '../../connectors/temporal/activity-failures.ts';
import { TemporalClient } from '../../connectors/temporal/client.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { projectWorkflowBundle } from '../../workers/batch/workflow-bundle.ts';
import type { WordsResult } from '../../workflows/words/contract.ts';
import { failureOf, type JobFailure } from '../support/job-failure.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const config = loadConfig();
const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** `countWords` as it runs, on a task queue, directories and databases of the test's own, with a proxy before Hive that can do harm. */
export class WordsBed {
  readonly directory = `/test-words-${randomUUID()}`;
  readonly hiveDatabase = `test_words_${randomUUID().slice(0, 8)}`;
  readonly hdfs: HdfsClient;
  /** Straight to Hive. */
  readonly hive: HiveClient;
  readonly proxy: TcpProxy;
  readonly #throughProxy: HiveClient;
  readonly #mongodbDatabase = `test_words_${randomUUID().slice(0, 8)}`;
  readonly #answers: KeptDocuments;
  readonly serving = new ServingDatabase({
    url: config.SERVING_DATABASE_URL,
    schema: this.#mongodbDatabase,
    maxConnections: 2,
    timeoutMs: 30_000,
    applicationName: 'test',
  });
  readonly #client: TemporalClient;
  readonly #connection: NativeConnection;
  readonly #taskQueue = `words-test-${randomUUID()}`;
  #ended: Promise<void> = Promise.resolve();
  #worker: Worker | undefined;

  private constructor(proxy: TcpProxy, connection: NativeConnection, address: string) {
    this.proxy = proxy;
    this.#connection = connection;
    this.hdfs = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: config.HDFS_USER });
    const hive = { user: config.HDFS_USER, callTimeoutMs: 300_000, logger };
    this.hive = new HiveClient({ ...hive, url: config.HIVE_URL });
    this.#throughProxy = new HiveClient({ ...hive, url: `hive2://${proxy.address}` });
    this.#answers = new KeptDocuments({
      url: config.MONGODB_URL,
      database: this.#mongodbDatabase,
      collection: 'wordCounts',
      timeoutMs: 10_000,
    });
    this.#client = new TemporalClient({ address, namespace: config.TEMPORAL_NAMESPACE, identity: 'test' });
  }

  static async open(): Promise<WordsBed> {
    const { host, port } = parseHiveUrl(config.HIVE_URL, config.HDFS_USER);
    const address = config.TEMPORAL_ADDRESS[0] ?? '';
    const [proxy, connection, bundle] = await Promise.all([
      TcpProxy.start({ targetHost: host, targetPort: port }),
      NativeConnection.connect({ address }),
      projectWorkflowBundle(config, logger),
    ]);
    const bed = new WordsBed(proxy, connection, address);
    const deps: WordsDependencies = {
      hdfs: bed.hdfs,
      hive: bed.#throughProxy,
      answers: bed.#answers,
      serving: bed.serving,
      analysisDirectory: `${bed.directory}/analysis`,
      sampleTextsDirectory: `${bed.directory}/samples`,
      database: bed.hiveDatabase,
    };
    bed.#worker = await Worker.create({
      connection,
      namespace: config.TEMPORAL_NAMESPACE,
      taskQueue: bed.#taskQueue,
      workflowBundle: { codePath: bundle },
      activities: createWordsActivities(deps),
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
    return this.#client.sdk.workflow.start('countWords', {
      taskQueue: this.#taskQueue,
      workflowId: `words-test-${randomUUID()}`,
      args: input === undefined ? [] : [input],
    });
  }

  async count(input?: unknown): Promise<WordsResult> {
    return (await (await this.start(input)).result()) as WordsResult;
  }

  /** Code and message that a count fails with. */
  failure(input: unknown): Promise<JobFailure> {
    return failureOf(this.count(input));
  }

  get client(): TemporalClient {
    return this.#client;
  }

  /** What counts have left in Hive and HDFS. */
  async leftovers(): Promise<readonly string[]> {
    const databases = await this.hive.rows(`SHOW DATABASES LIKE '${this.hiveDatabase}'`);
    const tables = databases.length === 0 ? [] : await this.hive.rows(`SHOW TABLES IN ${this.hiveDatabase}`);
    const directories: string[] = [];
    const counts = `${this.directory}/analysis/words`;
    if ((await this.hdfs.status(counts)) !== undefined) {
      for await (const { path } of this.hdfs.list(counts)) directories.push(path);
    }
    return [...tables.map(([name]) => name ?? ''), ...directories];
  }

  async close(): Promise<void> {
    this.#worker?.shutdown();
    await this.#ended;
    await this.hive.execute(`DROP DATABASE IF EXISTS ${this.hiveDatabase} CASCADE`);
    await this.hdfs.delete(this.directory, { recursive: true });
    await this.serving.query(`DROP SCHEMA IF EXISTS ${this.serving.schema} CASCADE`);
    await this.serving.close();
    const mongodb = new MongoClient(config.MONGODB_URL);
    await mongodb.db(this.#mongodbDatabase).dropDatabase();
    await mongodb.close();
    await Promise.all([this.hive.close(), this.#throughProxy.close(), this.hdfs.close(), this.#answers.close()]);
    await this.proxy.close();
    await this.#connection.close();
    await this.#client.close();
  }
}
