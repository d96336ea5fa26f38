import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { GridError } from '../../../grid/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { failureText, protocolErrorType } from '../failure.ts';
import { pause } from '../../../runtime/waiting/pause.ts';
import { within } from '../../../runtime/waiting/time-limit.ts';

/** A topic as it is made when it is missing. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** How long records are kept, milliseconds; −1 keeps them for ever. */
  readonly retentionMs: number;
  /** Largest record batch that it takes, bytes; the broker's default when absent. */
  readonly maxMessageBytes?: number;
}

export interface EnsureTopicsOptions {
  readonly kafka: Kafka;
  readonly topics: readonly TopicSpec[];
  readonly logger: Logger;
}

const CALL_TIMEOUT_MS = 30_000;
const RETRY_DELAY_MS = 1_000;
/** A cluster that is just starting refuses to make topics until its brokers have registered. */
const REFUSAL_PATIENCE_MS = 30_000;
/** Answers of a broker that has not heard yet of a topic that was made a moment ago, by this process or another. */
const NOT_YET_KNOWN: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_CONTROLLER',
]);

/**
 * Settings of the project's topics. The record's timestamp is the broker's: event time stands in the reading, and what is
 * "too far ahead" must be judged by a clock that sources cannot set. An acknowledged record is on two of three replicas.
 */
function settings(topic: TopicSpec): { name: string; value: string }[] {
  return [
    { name: 'message.timestamp.type', value: 'LogAppendTime' },
    { name: 'retention.ms', value: String(topic.retentionMs) },
    { name: 'min.insync.replicas', value: String(topic.replicationFactor >= 3 ? 2 : 1) },
    ...(topic.maxMessageBytes === undefined
      ? []
      : [{ name: 'max.message.bytes', value: String(topic.maxMessageBytes) }]),
  ];
}

/**
 * Makes the topics that are missing; those that exist are left as they are (Kafka's clients here could only replace all
 * settings of a topic at once), and a difference that matters is logged. Several processes may do so at the same time.
 *
 * @returns the names of those that this call made.
 * @throws GridError `kafka-unavailable`, or `kafka-refused` when Kafka does not make one.
 */
export async function ensureTopics({ kafka, topics, logger }: EnsureTopicsOptions): Promise<string[]> {
  const admin = kafka.admin();
  try {
    await within(CALL_TIMEOUT_MS, admin.connect());
    const existing = new Set(await within(CALL_TIMEOUT_MS, admin.listTopics()));
    const made: string[] = [];
    for (const topic of topics) {
      if (existing.has(topic.name)) continue;
      if (await create(admin, topic)) {
        made.push(topic.name);
        logger.info({ topic: topic.name, partitions: topic.partitions }, 'made the Kafka topic');
      }
    }
    const present = topics.filter(({ name }) => existing.has(name));
    if (present.length > 0) await compare(admin, present, logger);
    return made;
  } catch (error) {
    if (error instanceof GridError) throw error;
    throw new GridError(
      'kafka-unavailable',
      `Looking up and making Kafka topics: ${failureText(error)}. Check that Kafka runs at the configured KAFKA_BROKERS.`,
      { cause: error },
    );
  } finally {
    await within(1_000, admin.disconnect()).catch(() => undefined);
  }
}

/**
 * {@link ensureTopics} as soon as Kafka can be reached, with one line in the log when it has to wait and one when it is over.
 * Resolves without having done so only when `signal` aborts.
 *
 * @throws GridError `kafka-refused` when Kafka keeps refusing.
 */
export async function ensureTopicsEventually(options: EnsureTopicsOptions, signal: AbortSignal): Promise<void> {
  let waiting = false;
  let refusedSinceMs: number | undefined;
  while (!signal.aborted) {
    try {
      await ensureTopics(options);
      if (waiting) options.logger.info('Kafka is there');
      return;
    } catch (error) {
      if (!(error instanceof GridError)) throw error;
      if (error.retryable) refusedSinceMs = undefined;
      else if (Date.now() - (refusedSinceMs ??= Date.now()) > REFUSAL_PATIENCE_MS) throw error;
      if (!waiting) options.logger.warn({ code: error.code }, `waiting for Kafka. ${error.message}`);
      waiting = true;
    }
    await pause(RETRY_DELAY_MS, signal);
  }
}

async function create(admin: Admin, topic: TopicSpec): Promise<boolean> {
  const creating = admin.createTopics({
    waitForLeaders: true,
    topics: [
      {
        topic: topic.name,
        numPartitions: topic.partitions,
        replicationFactor: topic.replicationFactor,
        configEntries: settings(topic),
      },
    ],
  });
  try {
    return await within(CALL_TIMEOUT_MS, creating);
  } catch (error) {
    // kafkajs wraps the topics' errors in an aggregate.
    const causes: unknown[] =
      error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
    const cause = causes[0] ?? error;
    const type = protocolErrorType(cause);
    if (type === 'TOPIC_ALREADY_EXISTS') return false;
    if (type === undefined || NOT_YET_KNOWN.has(type)) throw error;
    throw new GridError(
      'kafka-refused',
      `Making Kafka topic ${topic.name} with ${topic.partitions} partitions on ${topic.replicationFactor} brokers: ${failureText(cause)}. Make it by hand, or correct TOPIC_PARTITIONS, TOPIC_REPLICATION_FACTOR or the rights.`,
      { cause: error },
    );
  }
}

/** Tells of topics that were made by others, with settings that change what the project promises. */
async function compare(admin: Admin, topics: readonly TopicSpec[], logger: Logger): Promise<void> {
  const { resources } = await within(
    CALL_TIMEOUT_MS,
    admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map(({ name }) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: ['message.timestamp.type', 'retention.ms'],
      })),
    }),
  );
  for (const { resourceName, configEntries } of resources) {
    const value = (name: string) => configEntries.find((entry) => entry.configName === name)?.configValue;
    if (value('message.timestamp.type') !== 'LogAppendTime') {
      logger.warn(
        { topic: resourceName },
        'the topic does not have message.timestamp.type=LogAppendTime: readings too far ahead are judged by the clock of who sent them',
      );
    }
    const wanted = topics.find(({ name }) => name === resourceName)?.retentionMs;
    const retentionMs = Number(value('retention.ms'));
    if (wanted !== undefined && retentionMs >= 0 && (wanted < 0 || retentionMs < wanted)) {
      logger.warn(
        { topic: resourceName, retentionMs },
        'the topic forgets records sooner than configured: a sink that is down for longer loses them',
      );
    }
  }
}
