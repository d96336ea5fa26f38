import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { MongoClient } from 'mongodb';
import { createQueryActivities } from '../../activities/query/create.ts';
import { createReportActivities, type ReportDependencies } from '../../activities/report/create.ts';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { parseHiveUrl } from '../../connectors/hive/address.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import { KeptDocuments } from '../../connectors/mongodb/kept-documents.ts';
import { failuresByCode } from '../../connectors/temporal/activity-failures.ts';
import { TemporalClient } from '../../connectors/temporal/client.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { projectWorkflowBundle } from '../../workers/batch/workflow-bundle.ts';
import type { Answer } from '../../workflows/query/contract.ts';
import { failureOf, type JobFailure } from '../support/job-failure.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const config = loadConfig();
const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** Jobs that ask Hive statements as they run, on a task queue, directories and databases of the test's own, with a proxy before Hive that can do harm. */
export class QueryBed {
  readonly directory = `/test-query-${randomUUID()}`;
  readonly hiveDatabase = `test_query_${randomUUID().slice(0, 8)}`;
  readonly hdfs = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: config.HDFS_USER });
  /** Straight to Hive. */
  readonly hive: HiveClient;
  readonly proxy: TcpProxy;
  readonly #throughProxy: HiveClient;
  readonly #mongodb = new MongoClient(config.MONGODB_URL);
  readonly #mongodbDatabase = `test_query_${randomUUID().slice(0, 8)}`;
  readonly #audit: KeptDocuments;
  readonly #reports: KeptDocuments;
  readonly client: TemporalClient;
  readonly #connection: NativeConnection;
  /** Of the machine: the stack's MapReduce runs within Hive's server. */
  readonly #jobsDirectory = mkdtempSync(join(tmpdir(), 'query-jobs-'));
  readonly #taskQueue = `query-test-${randomUUID()}`;
  #ended: Promise<void> = Promise.resolve();
  #worker: Worker | undefined;

  private constructor(proxy: TcpProxy, connection: NativeConnection, address: string) {
    this.proxy = proxy;
    this.#connection = connection;
    const hive = { user: config.HDFS_USER, callTimeoutMs: 300_000, logger };
    this.hive = new HiveClient({ ...hive, url: config.HIVE_URL });
    // Every statement that reads a table is a job of MapReduce, which keeps what it was given there as long as it runs.
    const settings = `hive.auto.convert.join=false&mapreduce.jobtracker.staging.root.dir=${this.#jobsDirectory}`;
    this.#throughProxy = new HiveClient({ ...hive, url: `hive2://${proxy.address}?${settings}` });
    const kept = { url: config.MONGODB_URL, database: this.#mongodbDatabase, timeoutMs: 10_000 };
    this.#audit = new KeptDocuments({ ...kept, collection: 'queryAudit' });
    this.#reports = new KeptDocuments({ ...kept, collection: 'reports' });
    this.client = new TemporalClient({ address, namespace: config.TEMPORAL_NAMESPACE, identity: 'test' });
  }

  static async open({ mayWrite = false } = {}): Promise<QueryBed> {
    const { host, port } = parseHiveUrl(config.HIVE_URL, config.HDFS_USER);
    const address = config.TEMPORAL_ADDRESS[0] ?? '';
    const [proxy, connection, bundle] = await Promise.all([
      TcpProxy.start({ targetHost: host, targetPort: port }),
      NativeConnection.connect({ address }),
      projectWorkflowBundle(config, logger),
    ]);
    const bed = new QueryBed(proxy, connection, address);
    await bed.hive.execute(`CREATE DATABASE ${bed.hiveDatabase}`);
    const deps: ReportDependencies = {
      hdfs: bed.hdfs,
      hive: bed.#throughProxy,
      audit: bed.#audit,
      analysisDirectory: `${bed.directory}/analysis`,
      dataDirectories: [`${bed.directory}/topics`],
      mayWrite,
      reports: bed.#reports,
      database: bed.hiveDatabase,
    };
    bed.#worker = await Worker.create({
      connection,
      namespace: config.TEMPORAL_NAMESPACE,
      taskQueue: bed.#taskQueue,
      workflowBundle: { codePath: bundle },
      activities: { ...createQueryActivities(deps), ...createReportActivities(deps) },
      interceptors: { activity: [failuresByCode] },
      maxHeartbeatThrottleInterval: 200,
      shutdownGraceTime: 1_000,
    });
    bed.#ended = bed.#worker.run();
    return bed;
  }

  start(input?: unknown, workflowType = 'runHiveQuery'): Promise<WorkflowHandle> {
    return this.client.sdk.workflow.start(workflowType, {
      taskQueue: this.#taskQueue,
      workflowId: `query-test-${randomUUID()}`,
      args: input === undefined ? [] : [input],
    });
  }

  async run(input?: unknown): Promise<Answer> {
    return (await (await this.start(input)).result()) as Answer;
  }

  /** Code and message that a run fails with. */
  failure(input: unknown): Promise<JobFailure> {
    return failureOf(this.run(input));
  }

  async text(path: string | null): Promise<string> {
    return (await this.hdfs.readFile(path ?? '', { maxBytes: 64 << 20 })).toString();
  }

  /** Entries of the audit, or what reports have said, oldest first. */
  async kept(
    collection: 'queryAudit' | 'reports' = 'queryAudit',
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const entries = this.#mongodb.db(this.#mongodbDatabase).collection(collection);
    return entries.find({}, { sort: { _id: 1 } }).toArray();
  }

  /** Files of the bed's directory: results, and what runs have left. */
  async files(): Promise<readonly string[]> {
    const files: string[] = [];
    const collect = async (directory: string): Promise<void> => {
      if ((await this.hdfs.status(directory)) === undefined) return;
      for await (const { path, type } of this.hdfs.list(directory)) {
        if (type === 'directory') await collect(path);
        else files.push(path);
      }
    };
    await collect(this.directory);
    return files;
  }

  /** Jobs of MapReduce that run for the bed's statements. */
  jobs(): readonly string[] {
    const paths = readdirSync(this.#jobsDirectory, { recursive: true, encoding: 'utf8' });
    return paths.filter((path) => /(?:^|\/)job_\w+$/.test(path));
  }

  async close(): Promise<void> {
    this.#worker?.shutdown();
    await this.#ended;
    await this.hive.execute(`DROP DATABASE IF EXISTS ${this.hiveDatabase} CASCADE`);
    await this.hdfs.delete(this.directory, { recursive: true });
    rmSync(this.#jobsDirectory, { recursive: true });
    await this.#mongodb.db(this.#mongodbDatabase).dropDatabase();
    await this.#mongodb.close();
    await Promise.all([
      this.hive.close(),
      this.#throughProxy.close(),
      this.hdfs.close(),
      this.#audit.close(),
      this.#reports.close(),
    ]);
    await this.proxy.close();
    await this.#connection.close();
    await this.client.close();
  }
}
