import type { RecordProducer } from '../../../connectors/kafka/produce/record-producer.ts';
import type { AlarmPartition, AlarmStore } from '../../../connectors/postgres/serving/alarm-store.ts';
import type { Webhook } from '../../../connectors/webhook/webhook.ts';
import { GridError } from '../../../grid/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { alarmRecord } from './alarm-record.ts';
import type { AlarmsMetrics } from './alarms-metrics.ts';
import { Outbox } from './outbox.ts';

/** What every delivery of a partition's alarms needs. */
export interface Delivery {
  readonly store: AlarmStore;
  readonly partition: AlarmPartition;
  readonly metrics: AlarmsMetrics;
  readonly logger: Logger;
  readonly onTrouble: (trouble: GridError | undefined) => void;
}

const TOPIC_PAGE = 500;
const TOPIC_LONGEST_PAUSE_MS = 10_000;
/** Few: those that were posted when the process ends are posted again. */
const WEBHOOK_PAGE = 20;

/** Writes changes of alarms to a topic; its key is the sensor id. */
export function topicOutbox(delivery: Delivery, producer: RecordProducer, topic: string): Outbox {
  const { store, partition, metrics, onTrouble } = delivery;
  return new Outbox({
    ...{ store, partition, to: 'topic', page: TOPIC_PAGE, longestPauseMs: TOPIC_LONGEST_PAUSE_MS, onTrouble },
    async deliver(events) {
      await producer.send(
        topic,
        events.map((event) => ({ key: event.sensor_id, value: alarmRecord(event, partition) })),
      );
      metrics.delivered('topic', 'delivered', events.length);
      return events.length;
    },
  });
}

/** Posts changes of alarms, one after the other. What is refused is told and left out; what is too old is left out. */
export function webhookOutbox(delivery: Delivery, webhook: Webhook, giveUpMs: number, longestPauseMs: number): Outbox {
  const { store, partition, metrics, logger, onTrouble } = delivery;
  return new Outbox({
    ...{ store, partition, to: 'webhook', page: WEBHOOK_PAGE, longestPauseMs, onTrouble },
    async deliver(events, signal) {
      for (const [index, event] of events.entries()) {
        // History that is read for the first time is no news either.
        if (Date.now() - Math.min(event.appended_ms ?? Infinity, event.recorded_ms) > giveUpMs) {
          metrics.delivered('webhook', 'too-old', 1);
          continue;
        }
        const answer = await webhook.post(alarmRecord(event, partition), signal);
        if (answer.kind === 'unavailable') {
          onTrouble(new GridError('source-unavailable', `Posting an alarm: ${answer.why}. It is tried again.`));
          return index;
        }
        metrics.delivered('webhook', answer.kind, 1);
        if (answer.kind === 'refused') {
          logger.error(
            { eventId: event.event_id, alarmId: event.alarm_id },
            `Posting an alarm: ${answer.why}. It is not posted again; see what ALARM_WEBHOOK_URL expects.`,
          );
        }
      }
      return events.length;
    },
  });
}
