import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { MongoClient } from 'mongodb';
import { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { loadConfig } from '../../runtime/config.ts';

/** What really lies in the stores. */
export interface StoredReadings {
  readonly readings: number;
  readonly documents: number;
  readonly files: number;
  readonly bytes: number;
  /** Lines of all files. */
  readonly lines: number;
}

const MAX_FILE_BYTES = 64 << 20;

/** Reads Kafka, HDFS and MongoDB from end to end, past all that counts for `npm start`. */
export async function readStores(environment: Readonly<Record<string, string>>): Promise<StoredReadings> {
  const config = loadConfig({ ...environment });
  const admin = new Kafka({ brokers: config.KAFKA_BROKERS, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(config.TOPIC_INGESTION);
  await admin.disconnect();

  const mongodb = await new MongoClient(config.MONGODB_URL).connect();
  const documents = await mongodb.db(config.MONGODB_DATABASE).collection(config.TOPIC_INGESTION).countDocuments();
  await mongodb.close();

  const hdfs = new HdfsClient({ nameNodeUrls: config.WEBHDFS_URL, user: config.HDFS_USER });
  const total = { files: 0, bytes: 0, lines: 0 };
  for await (const directory of hdfs.list(`${config.HDFS_TOPICS_DIRECTORY}/${config.TOPIC_INGESTION}`)) {
    if (directory.name === '_commits') continue;
    for await (const file of hdfs.list(directory.path)) {
      const content = await hdfs.readFile(file.path, { maxBytes: MAX_FILE_BYTES });
      total.files++;
      total.bytes += content.length;
      total.lines += content.reduce((count, byte) => (byte === 0x0a ? count + 1 : count), 0);
    }
  }
  await hdfs.close();
  return { readings: offsets.reduce((sum, { high }) => sum + Number(high), 0), documents, ...total };
}

export async function readNewest(
  environment: Readonly<Record<string, string>>,
  sensorId: string,
): Promise<string | null> {
  const redis = new Redis(loadConfig({ ...environment }).REDIS_URL);
  const value = await redis.get(sensorId);
  redis.disconnect();
  return value;
}
