import type { TopicSpec } from '../connectors/kafka/topics/topics.ts';
import type { Config } from '../runtime/config.ts';

/** Kafka's own default for the largest record batch of a topic, bytes. */
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;
/** What a record batch adds to its largest record: its header, the record's own, key and headers. */
const BATCH_OVERHEAD_BYTES = 16 * 1_024;
/** What the headers of a dead letter add to its record at the most, generously. */
export const DEAD_LETTER_HEADROOM_BYTES = 64 * 1_024;

/** Every topic of the project as it is made where it is missing, whichever process comes first. */
export function projectTopics(config: Config): TopicSpec[] {
  const maxMessageBytes = Math.max(DEFAULT_MAX_MESSAGE_BYTES, config.ENVELOPE_MAX_BYTES + BATCH_OVERHEAD_BYTES);
  const common = {
    partitions: config.TOPIC_PARTITIONS,
    replicationFactor: config.TOPIC_REPLICATION_FACTOR,
    retentionMs: config.TOPIC_RETENTION_MS,
    maxMessageBytes,
  };
  return [
    { ...common, name: config.TOPIC_INGESTION },
    { ...common, name: config.TOPIC_DLQ, maxMessageBytes: maxMessageBytes + DEAD_LETTER_HEADROOM_BYTES },
    { ...common, name: config.TOPIC_UNORGANIZED },
    { ...common, name: config.TOPIC_AGGREGATES },
    { ...common, name: config.TOPIC_ALARMS },
  ];
}
