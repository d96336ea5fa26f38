import type { KafkaClient } from '../connectors/kafka/client.ts';
import type { RecordProducer } from '../connectors/kafka/produce/record-producer.ts';
import type { StoredDocuments } from '../connectors/mongodb/stored-documents.ts';
import type { ServingDatabase } from '../connectors/postgres/serving/serving-database.ts';
import type { RedisConnection } from '../connectors/redis/connection.ts';
import type { TemporalClient } from '../connectors/temporal/client.ts';
import type { LogReader } from '../connectors/kafka/read/log-reader.ts';

/** What lies in the commit logs of HDFS of one partition, up to its newest commit. */
export interface CommittedPartition {
  readonly partition: number;
  readonly nextOffset: number;
  readonly records: number;
  readonly unreadable: number;
  readonly notRouted: number;
  /** Offsets that hold no record. */
  readonly missing: number;
  /** Offsets that retention removed before they were read: a loss. */
  readonly expired: number;
}

/** The master data in HDFS, by its commit logs. */
export interface MasterData {
  /** @throws GridError `hdfs-…` */
  committed(topic: string): Promise<readonly CommittedPartition[]>;
  /** The file that a record lies in; undefined when it is in none (yet). @throws GridError `hdfs-…` */
  fileOf(topic: string, partition: number, offset: number): Promise<string | undefined>;
  /** @throws GridError `hdfs-…` */
  ping(): Promise<void>;
}

/** The servers that answers come from. Each may be away: then only what needs it says so. */
export interface Stores {
  readonly database: ServingDatabase;
  readonly redis: RedisConnection;
  readonly documents: StoredDocuments;
  readonly temporal: TemporalClient;
  readonly kafka: KafkaClient;
  readonly log: LogReader;
  readonly producer: RecordProducer;
  readonly masterData: MasterData;
}
