import type { ReplayDependencies } from '../../activities/replay/replay-content.ts';
import { committedOffset } from '../../connectors/kafka/consume/start-offset.ts';
import { TransactionalWriter } from '../../connectors/kafka/produce/transactional-writer.ts';
import { ensureTopics } from '../../connectors/kafka/topics/topics.ts';
import { projectTopics } from '../../streaming/project-topics.ts';
import type { BatchServices } from './services.ts';

/** Longest wait for Kafka to take one block of readings, milliseconds. */
const WRITE_TIMEOUT_MS = 30_000;

/** What replays need. Nothing connects to Kafka before the first of them. */
export function replayDependencies({ config, hdfs, catalogue, kafka, logger }: BatchServices): ReplayDependencies {
  const topic = config.TOPIC_INGESTION;
  const makeTopic = async (): Promise<void> => {
    const topics = projectTopics(config).filter(({ name }) => name === topic);
    await ensureTopics({ kafka: kafka.client, logger, topics });
  };
  return {
    hdfs,
    catalogue,
    topic,
    limits: { maxBytes: config.ENVELOPE_MAX_BYTES, maxAheadMs: config.EVENT_TIME_MAX_AHEAD_SECONDS * 1_000 },
    groupPrefix: config.CONSUMER_GROUP_PREFIX,
    makeTopic,
    createWriter: (transactionalId) =>
      new TransactionalWriter({
        kafka: kafka.client,
        topics: kafka.directory,
        limits: kafka.limits,
        makeTopic,
        transactionalId,
        timeoutMs: WRITE_TIMEOUT_MS,
      }),
    committedOffset: async (groupId) => {
      const admin = kafka.client.admin();
      await admin.connect();
      try {
        return await committedOffset(admin, groupId, topic, 0);
      } finally {
        await admin.disconnect();
      }
    },
  };
}
