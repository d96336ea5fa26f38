import { createKafka } from '../../../connectors/kafka/client.ts';
import type { PartitionContext } from '../../../connectors/kafka/consume/consumed.ts';
import { createProducerMetrics } from '../../../connectors/kafka/produce/producer-metrics.ts';
import { KafkaProducer } from '../../../connectors/kafka/produce/producer.ts';
import { LogReader } from '../../../connectors/kafka/read/log-reader.ts';
import { AlarmStore } from '../../../connectors/postgres/serving/alarm-store.ts';
import { ServingDatabase } from '../../../connectors/postgres/serving/serving-database.ts';
import { Webhook } from '../../../connectors/webhook/webhook.ts';
import { GridError } from '../../../grid/errors.ts';
import type { OpenSink } from '../sink.ts';
import { AlarmsPartition } from './alarms-partition.ts';
import { createAlarmsMetrics, type OpenCount } from './alarms-metrics.ts';
import { topicOutbox, webhookOutbox, type Delivery } from './deliveries.ts';
import type { Outbox } from './outbox.ts';
import { readAlarmRules } from './rules-file.ts';

/** Connections to the database, all partitions together; and the longest wait for one of its answers. */
const MOST_CONNECTIONS = 3;
const DATABASE_TIMEOUT_MS = 30_000;
const QUEUE_BYTES = 4 << 20;
/** Longest wait for Kafka to say where partitions end; and how long all of a process believe it. */
const ENDS_TIMEOUT_MS = 5_000;
const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

/** The sink of alarms as the configuration describes it. */
export const openSink: OpenSink = async (environment, limits) => {
  const { config, routes, metrics } = environment;
  const logger = environment.logger.child({ sink: 'alarms' });
  const rules = await readAlarmRules(config.ALARM_RULES);
  const webhook =
    config.ALARM_WEBHOOK_URL === ''
      ? undefined
      : new Webhook({
          url: config.ALARM_WEBHOOK_URL,
          authorization: config.ALARM_WEBHOOK_AUTHORIZATION,
          timeoutMs: config.ALARM_WEBHOOK_TIMEOUT_MS,
        });
  const database = new ServingDatabase({
    url: config.SERVING_DATABASE_URL,
    schema: config.SERVING_SCHEMA,
    maxConnections: MOST_CONNECTIONS,
    timeoutMs: DATABASE_TIMEOUT_MS,
    applicationName: 'powergrid-alarms',
  });
  const producer = new KafkaProducer({
    brokers: config.KAFKA_BROKERS,
    clientId: 'powergrid-alarms',
    logger,
    queueBytes: QUEUE_BYTES,
    deliveryTimeoutMs: config.KAFKA_DELIVERY_TIMEOUT_MS,
    metrics: createProducerMetrics(metrics),
  });
  const log = new LogReader({
    kafka: createKafka({
      brokers: config.KAFKA_BROKERS,
      clientId: 'powergrid-alarms',
      logger: logger.child({}, { level: 'silent' }),
      requestTimeoutMs: ENDS_TIMEOUT_MS,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1 },
    }),
    timeoutMs: ENDS_TIMEOUT_MS,
  });
  const store = new AlarmStore(database, webhook !== undefined);
  const open = new Map<string, () => Iterable<OpenCount>>();
  const outboxes = new Map<string, readonly { readonly to: 'topic' | 'webhook'; readonly outbox: Outbox }[]>();
  const troubles = new Map<string, string>();
  const alarmsMetrics = createAlarmsMetrics(metrics, {
    *open() {
      for (const counts of open.values()) yield* counts();
    },
    oldestMs(to) {
      const waiting = [...outboxes.values()]
        .flat()
        .flatMap((entry) => (entry.to === to ? (entry.outbox.oldestMs ?? []) : []));
      return waiting.length === 0 ? undefined : Math.min(...waiting);
    },
  });

  function openOutboxes(context: PartitionContext): readonly Outbox[] {
    const name = keyOf(context);
    const delivery = (to: 'topic' | 'webhook'): Delivery => ({
      ...{ store, partition: context, metrics: alarmsMetrics, logger },
      onTrouble(trouble) {
        if (trouble === undefined) troubles.delete(`${name} ${to}`);
        else troubles.set(`${name} ${to}`, `alarms of ${name} wait for the ${to}: ${trouble.code}`);
      },
    });
    const opened = [
      { to: 'topic' as const, outbox: topicOutbox(delivery('topic'), producer, config.TOPIC_ALARMS) },
      ...(webhook === undefined
        ? []
        : [
            {
              to: 'webhook' as const,
              outbox: webhookOutbox(
                delivery('webhook'),
                webhook,
                config.ALARM_WEBHOOK_GIVE_UP_SECONDS * SECOND_MS,
                config.SINK_RETRY_MAX_DELAY_MS,
              ),
            },
          ]),
    ];
    outboxes.set(name, opened);
    return opened.map(({ outbox }) => outbox);
  }

  let migration: Promise<void> | undefined;
  return {
    name: 'alarms',
    topics: [config.TOPIC_INGESTION],
    createProcessor: (context) =>
      new AlarmsPartition(context, {
        ...{ routes, limits, rules, store, openOutboxes, logger, metrics: alarmsMetrics },
        whenReady() {
          migration ??= database.migrate().catch((error: unknown) => {
            migration = undefined;
            throw error;
          });
          return migration;
        },
        async endOf(topic, partition) {
          const bounds = (await log.boundsOf(topic)).find((entry) => entry.partition === partition);
          if (bounds === undefined) {
            throw new GridError(
              'kafka-unavailable',
              `Asking Kafka where ${topic}/${partition} ends: it does not know.`,
            );
          }
          return bounds.high;
        },
        graceMs: config.ALARM_GRACE_SECONDS * SECOND_MS,
        historyMs: config.ALARM_HISTORY_DAYS * DAY_MS,
        onOpen(context, counts) {
          const name = keyOf(context);
          if (counts !== undefined) {
            open.set(name, counts);
            return;
          }
          open.delete(name);
          outboxes.delete(name);
          for (const to of ['topic', 'webhook']) troubles.delete(`${name} ${to}`);
        },
      }),
    problems: () => [...troubles.values()],
    async close() {
      await producer.close(config.SHUTDOWN_TIMEOUT_MS / 10);
      await Promise.all([log.close(), database.close()]);
    },
  };
};

function keyOf({ topic, partition }: PartitionContext): string {
  return `${topic}/${partition}`;
}
