/** The topic that every side of the comparison reads. */
import { Partitioners, type Kafka } from 'kafkajs';
import { encodeEnvelope } from '../../../grid/envelope.ts';

export const PARTITIONS = 6;
const SENSORS = 1_000;
const BATCH = 5_000;

/** `count` readings, 1,000 sensors once a second in turn, envelopes of about 213 bytes. */
function makeEnvelope(index: number, startSeconds: number): { key: string; value: string } {
  const sensorId = String((index * 7_919) % SENSORS);
  const value = encodeEnvelope({
    sensorId,
    modality: (400 + ((index * 31) % 5_000) / 100).toFixed(2),
    unit: 'MW',
    aspect: 'real_time',
    correlationId: `6f1b5c1e-8d5a-4b57-9c43-${String(index).padStart(12, '0')}`,
    createdAt: (startSeconds + index / SENSORS).toFixed(3),
  });
  return { key: sensorId, value };
}

/**
 * Makes the topic and fills it with `records` envelopes.
 *
 * @returns the bytes that they take in HDFS, one a line.
 */
export async function fillTopic(kafka: Kafka, topic: string, records: number): Promise<number> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: PARTITIONS }] });
  await admin.disconnect();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  // From yesterday at noon (UTC) on: 40 million readings lie within one event day.
  const startSeconds = Math.floor(Date.now() / 86_400_000) * 86_400 - 43_200;
  let lineBytes = 0;
  for (let index = 0; index < records; index += BATCH) {
    const messages = Array.from({ length: Math.min(BATCH, records - index) }, (_, at) =>
      makeEnvelope(index + at, startSeconds),
    );
    await producer.send({ topic, acks: -1, messages });
    for (const { value } of messages) lineBytes += Buffer.byteLength(value) + 1;
  }
  await producer.disconnect();
  return lineBytes;
}

/** Deletes the topic and the consumer groups that were named after it. */
export async function deleteTopic(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { groups } = await admin.listGroups();
    const own = groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith(`${topic}.`));
    // A group whose members have only just left may still count as busy; the broker forgets it by itself.
    if (own.length > 0) await admin.deleteGroups(own).catch(() => undefined);
    const topics = await admin.listTopics();
    if (topics.includes(topic)) await admin.deleteTopics({ topics: [topic] });
  } finally {
    await admin.disconnect();
  }
}
