import { HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import type { DecodeLimits } from '../../../grid/envelope.ts';
import type { Sink, SinkEnvironment } from '../sink.ts';
import { createHdfsSink, type HdfsSinkMetrics } from './hdfs-sink.ts';
import { readingPlacer, textPlacer, type Placer } from './placement.ts';

/** The sink of readings as the configuration describes it. */
export function openHdfsSink(environment: SinkEnvironment, sinkMetrics: HdfsSinkMetrics, limits: DecodeLimits): Sink {
  const placer = readingPlacer(environment.routes, limits);
  return open('hdfs', environment.config.TOPIC_INGESTION, placer, environment, sinkMetrics);
}

/** The sink of text lines from files, which nobody has made sense of yet. */
export function openUnorganizedSink(environment: SinkEnvironment, sinkMetrics: HdfsSinkMetrics): Sink {
  return open('unorganized', environment.config.TOPIC_UNORGANIZED, textPlacer(), environment, sinkMetrics);
}

function open(
  name: 'hdfs' | 'unorganized',
  topic: string,
  placer: Placer,
  { config, logger, onCommitPoint }: SinkEnvironment,
  sinkMetrics: HdfsSinkMetrics,
): Sink {
  const sinkLogger = logger.child({ sink: name });
  const hdfs = new HdfsClient({
    nameNodeUrls: config.WEBHDFS_URL,
    user: config.HDFS_USER,
    callTimeoutMs: config.HDFS_CALL_TIMEOUT_MS,
    onRetry: ({ operation, path, retry, error }) => {
      sinkLogger.debug({ operation, path, retry, code: error.code }, 'HDFS call repeated');
    },
  });
  const setAside = new Map<string, number>();
  return {
    name,
    problems: () =>
      [...setAside].map(
        ([partition, files]) => `${partition} has ${files} committed file${files === 1 ? '' : 's'} set aside`,
      ),
    topics: [topic],
    createProcessor: createHdfsSink(
      {
        hdfs,
        topicsDirectory: config.HDFS_TOPICS_DIRECTORY,
        placer,
        bufferBytes: config.HDFS_BUFFER_BYTES,
        openFiles: config.HDFS_MAX_OPEN_FILES,
        rotateBytes: config.HDFS_ROTATE_BYTES,
        rotateAgeMs: config.HDFS_ROTATE_SECONDS * 1_000,
        segmentMs: config.SEGMENT_SECONDS * 1_000,
        checkpointCommits: config.HDFS_CHECKPOINT_COMMITS,
        logger: sinkLogger,
        ...(onCommitPoint === undefined ? {} : { onPoint: onCommitPoint }),
      },
      {
        onCommit: sinkMetrics.onCommit,
        onSetAside(topicName, partition, files) {
          const key = `${topicName}/${partition}`;
          if (files === 0) setAside.delete(key);
          else setAside.set(key, files);
          sinkMetrics.onSetAside?.(topicName, partition, files);
        },
      },
    ),
    close: () => hdfs.close(),
  };
}
