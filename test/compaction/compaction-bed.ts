import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createCompactionActivities } from '../../activities/compaction/create.ts';
import type { ReadingsDependencies } from '../../activities/readings/dependencies.ts';
import { refreshReadings, type RefreshedReadings } from '../../activities/readings/refresh-readings.ts';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { parseHiveUrl } from '../../connectors/hive/address.ts';
import { HiveClient } from '../../connectors/hive/hive.ts';
import { failuresByCode } from '../../connectors/temporal/activity-failures.ts';
import { TemporalClient } from '../../connectors/temporal/client.ts';
import { loadConfig } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { readingPlacer } from '../../streaming/sinks/hdfs/placement.ts';
import { projectWorkflowBundle } from '../../workers/batch/workflow-bundle.ts';
import type { CompactionResult } from '../../workflows/compaction/contract.ts';
import { TOPIC, WriterBed } from '../hdfs-sink/writer-bed.ts';
import { failureOf, type JobFailure } from '../support/job-failure.ts';
import { batchOf, contextOf, LIMITS, routesOf } from '../support/partitions.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { rowText, type ShownReading } from './independent-readings.ts';

const config = loadConfig();
const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });

Runtime.install({ logger: new DefaultLogger('ERROR') });

/**
 * `compactReadings` as it runs, and refreshes, over files that the HDFS sink's own writer has written, in directories, a Hive database and on a task
 * queue of the test's own, with a proxy before Hive that can do harm.
 */
export class CompactionBed {
  readonly database = `test_readings_${randomUUID().slice(0, 8)}`;
  readonly files = new WriterBed();
  /** Straight to Hive. */
  readonly hive: HiveClient;
  readonly proxy: TcpProxy;
  readonly client: TemporalClient;
  readonly deps: ReadingsDependencies;
  readonly #throughProxy: HiveClient;
  readonly #connection: NativeConnection;
  readonly #taskQueue = `compaction-test-${randomUUID()}`;
  #ended: Promise<void> = Promise.resolve();
  #worker: Worker | undefined;

  private constructor(proxy: TcpProxy, connection: NativeConnection, address: string, topic: string) {
    this.proxy = proxy;
    this.#connection = connection;
    const hive = { user: config.HDFS_USER, callTimeoutMs: 600_000, logger };
    this.hive = new HiveClient({ ...hive, url: config.HIVE_URL });
    this.#throughProxy = new HiveClient({ ...hive, url: `hive2://${proxy.address}` });
    this.client = new TemporalClient({ address, namespace: config.TEMPORAL_NAMESPACE, identity: 'test' });
    this.deps = {
      hdfs: this.hdfs,
      hive: this.#throughProxy,
      topicsDirectory: this.files.topicsDirectory,
      topic,
      analysisDirectory: `${this.files.topicsDirectory}-analysis`,
      database: this.database,
      workDatabase: this.database,
      // No reader is slower than a test.
      graceMs: 3_600_000,
    };
  }

  /** @param topic whose readings are shown; default that of the bed's own files */
  static async open(topic = TOPIC): Promise<CompactionBed> {
    const { host, port } = parseHiveUrl(config.HIVE_URL, config.HDFS_USER);
    const address = config.TEMPORAL_ADDRESS[0] ?? '';
    const [proxy, connection, bundle] = await Promise.all([
      TcpProxy.start({ targetHost: host, targetPort: port }),
      NativeConnection.connect({ address }),
      projectWorkflowBundle(config, logger),
    ]);
    const bed = new CompactionBed(proxy, connection, address, topic);
    bed.#worker = await Worker.create({
      connection,
      namespace: config.TEMPORAL_NAMESPACE,
      taskQueue: bed.#taskQueue,
      workflowBundle: { codePath: bundle },
      activities: createCompactionActivities(bed.deps),
      interceptors: { activity: [failuresByCode] },
      maxHeartbeatThrottleInterval: 200,
      shutdownGraceTime: 1_000,
    });
    bed.#ended = bed.#worker.run();
    return bed;
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

  refresh(signal: AbortSignal = new AbortController().signal): Promise<RefreshedReadings> {
    return refreshReadings(this.deps, signal);
  }

  start(input?: unknown): Promise<WorkflowHandle> {
    return this.client.sdk.workflow.start('compactReadings', {
      taskQueue: this.#taskQueue,
      workflowId: `compaction-test-${randomUUID()}`,
      args: input === undefined ? [] : [input],
    });
  }

  async compact(input?: unknown): Promise<CompactionResult> {
    return (await (await this.start(input)).result()) as CompactionResult;
  }

  /** Code and message that a compaction fails with. */
  failure(input: unknown): Promise<JobFailure> {
    return failureOf(this.compact(input));
  }

  /** The rows of a view, as text, in order. */
  async shown(view: 'readings_all' | 'readings_raw'): Promise<string[]> {
    const columns = `sensor_id, aspect, unit, value_text, CAST(value AS STRING), CAST(event_time AS STRING), event_ms, created_at, correlation_id,
      kafka_partition, first_offset, place, event_day`;
    const rows = await this.hive.rows(`SELECT ${columns} FROM ${this.database}.${view} WHERE origin = 'stream'`);
    return rows.map((row) => rowText(asReading(row))).sort();
  }

  /** Rows of `readings_offsets`. */
  offsets(): Promise<(string | null)[][]> {
    return this.hive.rows(`SELECT * FROM ${this.database}.readings_offsets ORDER BY kafka_partition`);
  }

  /** Tables and views of the database. */
  async tables(): Promise<string[]> {
    return (await this.hive.rows(`SHOW TABLES IN ${this.database}`)).map(([name]) => name ?? '').sort();
  }

  /** Begins anew: no files, no views. */
  async clear(): Promise<void> {
    await this.files.clear();
    await this.hdfs.delete(this.deps.analysisDirectory, { recursive: true });
    await this.hive.execute(`DROP DATABASE IF EXISTS ${this.database} CASCADE`);
  }

  async close(): Promise<void> {
    this.#worker?.shutdown();
    await this.#ended;
    await this.clear();
    await Promise.all([this.hive.close(), this.#throughProxy.close(), this.files.close()]);
    await this.proxy.close();
    await this.#connection.close();
    await this.client.close();
  }
}

function asReading(row: readonly (string | null)[]): ShownReading {
  const text = (at: number): string => row[at] ?? 'NULL';
  return {
    sensorId: text(0),
    aspect: text(1),
    unit: text(2),
    valueText: text(3),
    value: row[4] ?? undefined,
    eventTime: text(5),
    eventMs: Number(row[6]),
    createdAt: text(7),
    correlationId: text(8),
    partition: Number(row[9]),
    firstOffset: Number(row[10]),
    place: Number(row[11]),
    day: text(12),
  };
}
