/** The HDFS sink as the speed-layer worker runs it, until everything is committed, verified and published. */
import { HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { createKafka } from '../../../connectors/kafka/client.ts';
import { PartitionConsumer } from '../../../connectors/kafka/consume/partition-consumer.ts';
import { parseRoutes } from '../../../grid/route.ts';
import { loadConfig } from '../../../runtime/config.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createHdfsSink } from '../../../streaming/sinks/hdfs/hdfs-sink.ts';
import { readingPlacer } from '../../../streaming/sinks/hdfs/placement.ts';
import { report } from '../../compare/result.ts';
import type { SideRun } from './run.ts';

const run = JSON.parse(process.argv[2] ?? '{}') as SideRun;
const config = loadConfig();
const logger = createLogger({ name: 'bench', level: 'warn', format: 'json' });
const hdfs = new HdfsClient({ nameNodeUrls: [run.webHdfsUrl], user: config.HDFS_USER });
const table = parseRoutes({}, 'bench');
const limits = { maxBytes: config.ENVELOPE_MAX_BYTES, maxAheadMs: config.EVENT_TIME_MAX_AHEAD_SECONDS * 1_000 };
const begun = { atMs: 0, cpu: process.cpuUsage() };
let processed = 0;
let committed = 0;

const createProcessor = createHdfsSink(
  {
    hdfs,
    topicsDirectory: run.directory,
    placer: readingPlacer({ current: () => table }, limits),
    bufferBytes: config.HDFS_BUFFER_BYTES,
    openFiles: config.HDFS_MAX_OPEN_FILES,
    rotateBytes: config.HDFS_ROTATE_BYTES,
    rotateAgeMs: config.HDFS_ROTATE_SECONDS * 1_000,
    checkpointCommits: config.HDFS_CHECKPOINT_COMMITS,
    logger,
  },
  {
    onCommit: (record) => {
      committed += record.records;
    },
  },
);

await new Promise<void>((resolve, reject) => {
  const consumer = new PartitionConsumer({
    kafka: createKafka({ brokers: run.brokers, clientId: 'bench', logger }),
    groupId: `${run.topic}.sink-${Date.now()}`,
    topics: [run.topic],
    createProcessor: (context) => {
      const processor = createProcessor(context);
      return {
        open: () => processor.open(),
        async process(batch) {
          if (begun.atMs === 0) {
            begun.atMs = performance.now();
            begun.cpu = process.cpuUsage();
          }
          await processor.process(batch);
          processed += batch.records.length;
          // Stopping commits what every partition still holds.
          if (processed >= run.records) setImmediate(() => void consumer.stop(60_000).then(resolve, reject));
        },
        close: (reason) => processor.close(reason),
      };
    },
    logger,
    sessionTimeoutMs: config.KAFKA_SESSION_TIMEOUT_MS,
    maxBytesPerPartition: config.KAFKA_MAX_BYTES_PER_PARTITION,
    maxBytesPerFetch: config.KAFKA_MAX_BYTES_PER_FETCH,
    maxRetryDelayMs: 1_000,
  });
  consumer.start();
});
const endedMs = performance.now();
if (committed !== run.records) throw new Error(`${committed} of ${run.records} records are committed`);
report(committed, endedMs - begun.atMs, begun.cpu);
await hdfs.close();
