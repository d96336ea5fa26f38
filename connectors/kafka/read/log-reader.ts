import type { Kafka, KafkaMessage } from 'kafkajs';
import { GridError } from '../../../grid/errors.ts';
import { within } from '../../../runtime/waiting/time-limit.ts';
import type { ConsumedRecord } from '../consume/consumed.ts';
import { undecodableBatchOf } from '../consume/decode/fetched-message.ts';
import { failureText, protocolErrorType } from '../failure.ts';
import { driverCluster, recordsOf, type DriverCluster } from './driver-cluster.ts';

/** A place to read on from. */
export interface LogPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What a partition had behind a place. */
export interface LogPart {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly ConsumedRecord[];
  /** Where reading goes on. */
  readonly nextOffset: number;
  /** The partition's end: the offset that its next record will have. */
  readonly highWatermark: number;
}

/** What a partition holds: from `low` on, before `high`. */
export interface LogBounds {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

export interface LogReaderOptions {
  readonly kafka: Kafka;
  /** Longest wait for an answer beside the wait for records, ms. */
  readonly timeoutMs: number;
}

const READ_COMMITTED = 1;
const NO_REPLICA = -1;
const OFFSET_OUT_OF_RANGE = 1;
const UNKNOWN_TOPIC = 'UNKNOWN_TOPIC_OR_PARTITION';
const NO_HEADERS = Object.freeze({});

/**
 * Reads records of topics by partition and offset, without a consumer group: whoever asks keeps the places. Records of transactions that
 * were aborted, or are not committed yet, are not there. Every call is bounded in time and fails with a GridError `kafka-unavailable`.
 */
export class LogReader {
  readonly #options: LogReaderOptions;
  #cluster: Promise<DriverCluster> | undefined;

  /** Connects to nothing yet. */
  constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  /** The numbers of a topic's partitions; none when there is no such topic. */
  partitionsOf(topic: string): Promise<readonly number[]> {
    return this.#asked(`Asking Kafka about topic ${topic}`, 0, async (cluster) => {
      try {
        await cluster.addMultipleTargetTopics([topic]);
      } catch (error) {
        if (protocolErrorType(error) === UNKNOWN_TOPIC) return [];
        throw error;
      }
      await cluster.refreshMetadataIfNecessary();
      return cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
    });
  }

  /** What each partition of a topic holds; none when there is no such topic. */
  async boundsOf(topic: string): Promise<readonly LogBounds[]> {
    const partitions = (await this.partitionsOf(topic)).map((partition) => ({ partition }));
    if (partitions.length === 0) return [];
    return this.#asked(`Asking Kafka where ${topic} begins and ends`, 0, async (cluster) => {
      const [lows, highs] = await Promise.all(
        [true, false].map((fromBeginning) => cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning }])),
      );
      const offsetIn = (found: typeof lows, partition: number): number =>
        Number(found?.[0]?.partitions.find((entry) => entry.partition === partition)?.offset ?? 0);
      return partitions.map(({ partition }) => ({
        partition,
        low: offsetIn(lows, partition),
        high: offsetIn(highs, partition),
      }));
    });
  }

  /**
   * What lies behind some places, as soon as there is anything, at most `waitMs` later; about `maxBytes` of each partition. A place that retention has removed
   * gives nothing, and the place behind which there is something again has to be asked for.
   *
   * @returns a part for each partition that had records, or control records to be passed over
   * @throws GridError `kafka-unavailable`; `expired-before-read` when a place is not there any more
   */
  read(places: readonly LogPlace[], waitMs: number, maxBytes: number): Promise<readonly LogPart[]> {
    return this.#asked(`Reading ${describe(places)}`, waitMs, async (cluster) => {
      await cluster.addMultipleTargetTopics([...new Set(places.map(({ topic }) => topic))]);
      await cluster.refreshMetadataIfNecessary();
      const byLeader = new Map<string, LogPlace[]>();
      for (const place of places) {
        const known = cluster
          .findTopicPartitionMetadata(place.topic)
          .find(({ partitionId }) => partitionId === place.partition);
        const leader = String(known?.leader ?? '');
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), place]);
      }
      const parts = await Promise.all(
        [...byLeader].map(([nodeId, some]) => this.#fetch(cluster, nodeId, some, waitMs, maxBytes)),
      );
      return parts.flat();
    });
  }

  /** Lets go of the connections. Never throws. */
  async close(): Promise<void> {
    const cluster = this.#cluster;
    this.#cluster = undefined;
    if (cluster === undefined) return;
    await within(
      1_000,
      cluster.then((open) => open.disconnect()),
    ).catch(() => undefined);
  }

  async #fetch(
    cluster: DriverCluster,
    nodeId: string,
    places: readonly LogPlace[],
    waitMs: number,
    maxBytes: number,
  ): Promise<LogPart[]> {
    const broker = await cluster.findBroker({ nodeId });
    const topics = [...new Set(places.map(({ topic }) => topic))].map((topic) => ({
      topic,
      partitions: places
        .filter((place) => place.topic === topic)
        .map(({ partition, offset }) => ({ partition, fetchOffset: String(offset), maxBytes })),
    }));
    const { responses } = await broker.fetch({
      replicaId: NO_REPLICA,
      isolationLevel: READ_COMMITTED,
      maxWaitTime: waitMs,
      minBytes: 1,
      maxBytes: maxBytes * 8,
      topics,
    });
    const parts: LogPart[] = [];
    for (const { topicName, partitions } of responses) {
      for (const fetched of partitions) {
        const place = places.find(({ topic, partition }) => topic === topicName && partition === fetched.partition);
        if (place === undefined) continue;
        if (fetched.errorCode === OFFSET_OUT_OF_RANGE) {
          throw new GridError(
            'expired-before-read',
            `Reading ${topicName}/${place.partition}: there is no offset ${place.offset} any more. Start again from where it begins or ends.`,
          );
        }
        if (fetched.errorCode !== 0)
          throw new Error(`${topicName}/${place.partition} has Kafka's error ${fetched.errorCode}`);
        const { messages, nextOffset } = recordsOf(topicName, place.offset, fetched);
        if (nextOffset > place.offset) {
          const records = messages.filter((message) => undecodableBatchOf(message) === undefined).map(recordOf);
          const highWatermark = Number(fetched.highWatermark);
          parts.push({ topic: topicName, partition: place.partition, records, nextOffset, highWatermark });
        }
      }
    }
    return parts;
  }

  async #asked<T>(attempt: string, waitMs: number, ask: (cluster: DriverCluster) => Promise<T>): Promise<T> {
    this.#cluster ??= this.#connected();
    const cluster = this.#cluster;
    try {
      return await within(this.#options.timeoutMs + waitMs, cluster.then(ask));
    } catch (error) {
      if (error instanceof GridError) throw error;
      // Leaders may have moved, or the connection be half dead: the next call begins with new ones.
      if (this.#cluster === cluster) await this.close();
      throw new GridError('kafka-unavailable', `${attempt}: ${failureText(error)}. It is tried again.`, {
        cause: error,
      });
    }
  }

  async #connected(): Promise<DriverCluster> {
    const cluster = driverCluster(this.#options.kafka, READ_COMMITTED);
    await cluster.connect();
    return cluster;
  }
}

function recordOf(message: KafkaMessage): ConsumedRecord {
  return {
    offset: Number(message.offset),
    key: message.key,
    value: message.value,
    timestampMs: Number(message.timestamp),
    headers: message.headers ?? NO_HEADERS,
  };
}

function describe(places: readonly LogPlace[]): string {
  const [first] = places;
  if (first === undefined) return 'nothing';
  return `${first.topic}/${first.partition} from offset ${first.offset}${places.length > 1 ? ` and ${places.length - 1} more partitions` : ''}`;
}
