import type { HdfsPort } from '../../../connectors/hdfs/hdfs.ts';
import type { PartitionContext, PartitionProcessor } from '../../../connectors/kafka/consume/consumed.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { Counter, Gauge, Histogram, type Registry } from '../../../runtime/metrics.ts';
import type { OnCommitPoint } from './commit-point.ts';
import type { CommitRecord } from '../../../connectors/hdfs/commit-log/commit-record.ts';
import { PartitionWriter } from './partition-writer.ts';
import type { Placer } from './placement.ts';
import { WriteBudget, type WriteLimits } from './write-budget.ts';

export interface HdfsSinkOptions extends WriteLimits {
  readonly hdfs: HdfsPort;
  readonly topicsDirectory: string;
  readonly placer: Placer;
  readonly rotateBytes: number;
  readonly rotateAgeMs: number;
  readonly segmentMs?: number;
  readonly checkpointCommits: number;
  readonly logger: Logger;
  readonly onPoint?: OnCommitPoint;
}

/** Metrics of everything that is written to HDFS by the commit protocol, by topic. */
export interface HdfsSinkMetrics {
  readonly onCommit: (record: CommitRecord, durationMs: number) => void;
  readonly onSetAside?: (topic: string, partition: number, files: number) => void;
}

export function createHdfsSinkMetrics(registry: Registry): HdfsSinkMetrics {
  const labelNames = ['topic'] as const;
  const registers = [registry];
  const records = new Counter({
    name: 'powergrid_hdfs_sink_records_total',
    help: 'Records of committed ranges, by what became of them.',
    labelNames: ['topic', 'outcome'] as const,
    registers,
  });
  const bytes = new Counter({
    name: 'powergrid_hdfs_sink_bytes_total',
    help: 'Bytes of published files.',
    labelNames,
    registers,
  });
  const files = new Counter({
    name: 'powergrid_hdfs_sink_files_total',
    help: 'Published files.',
    labelNames,
    registers,
  });
  const seconds = new Histogram({
    name: 'powergrid_hdfs_sink_commit_seconds',
    help: 'Time that a commit took, from closing its files to their publication.',
    labelNames,
    buckets: [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
    registers,
  });
  const setAside = new Gauge({
    name: 'powergrid_hdfs_sink_set_aside_files',
    help: 'Committed files that could not be published and are set aside: anything above 0 has to be repaired.',
    labelNames: ['topic', 'partition'] as const,
    registers,
  });
  return {
    onSetAside(topic, partition, count) {
      const labels = { topic, partition: String(partition) };
      if (count === 0) setAside.remove(labels);
      else setAside.set(labels, count);
    },
    onCommit(record, durationMs) {
      const { topic } = record;
      records.inc({ topic, outcome: 'written' }, record.records);
      records.inc({ topic, outcome: 'unreadable' }, record.unreadable);
      records.inc({ topic, outcome: 'switched-off' }, record.notRouted);
      records.inc({ topic, outcome: 'expired' }, record.expired);
      files.inc({ topic }, record.files.length);
      bytes.inc(
        { topic },
        record.files.reduce((sum, file) => sum + file.lengthBytes, 0),
      );
      seconds.observe({ topic }, durationMs / 1_000);
    },
  };
}

/** The sink of master data: every record in exactly one file of HDFS. See {@link PartitionWriter} for how. */
export function createHdfsSink(
  options: HdfsSinkOptions,
  metrics: HdfsSinkMetrics,
): (context: PartitionContext) => PartitionProcessor {
  const budget = new WriteBudget(options);
  return (context) => new PartitionWriter(context, { ...options, ...metrics, budget });
}
