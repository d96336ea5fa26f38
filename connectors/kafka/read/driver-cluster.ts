import { createRequire } from 'node:module';
import type { Kafka, KafkaMessage } from 'kafkajs';

/** What a fetch brings of one partition, as kafkajs has it. */
export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset?: string;
  readonly messages: readonly KafkaMessage[];
}

export interface DriverBroker {
  fetch(request: {
    readonly replicaId: number;
    readonly isolationLevel: number;
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly fetchOffset: string;
        readonly maxBytes: number;
      }[];
    }[];
  }): Promise<{
    readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartition[] }[];
  }>;
}

/** The part of kafkajs below its consumers. */
export interface DriverCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[];
  fetchTopicsOffset(
    topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
      readonly fromBeginning: boolean;
    }[],
  ): Promise<
    readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
    }[]
  >;
  findBroker(broker: { readonly nodeId: string }): Promise<DriverBroker>;
}

interface DriverBatch {
  readonly messages: readonly KafkaMessage[];
  readonly messagesWithinOffset: readonly KafkaMessage[];
}

const require = createRequire(import.meta.url);
const Batch = require('kafkajs/src/consumer/batch.js') as new (
  topic: string,
  fetchedOffset: string,
  partition: FetchedPartition,
) => DriverBatch;

/**
 * kafkajs reads by consumers alone, which must be in a group; a reader of a few records would wait for the group each time, and leave it behind. What its
 * consumers are made of is a cluster, which the client makes under a name of its own.
 */
export function driverCluster(kafka: Kafka, isolationLevel: number): DriverCluster {
  const name = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const create = name === undefined ? undefined : (kafka as unknown as Record<symbol, unknown>)[name];
  if (typeof create !== 'function') throw new Error('kafkajs makes no cluster any more under the name known here');
  return (create as (options: object) => DriverCluster)({
    allowAutoTopicCreation: false,
    metadataMaxAge: 60_000,
    isolationLevel,
  });
}

/** The records of a fetch that are there for readers, and the offset behind all that it brought. */
export function recordsOf(
  topic: string,
  fetchedOffset: number,
  partition: FetchedPartition,
): { readonly messages: readonly KafkaMessage[]; readonly nextOffset: number } {
  const batch = new Batch(topic, String(fetchedOffset), partition);
  const last = batch.messagesWithinOffset.at(-1);
  return { messages: batch.messages, nextOffset: last === undefined ? fetchedOffset : Number(last.offset) + 1 };
}
