import type { ProducedRecord, RecordProducer } from '../../../connectors/kafka/produce/record-producer.ts';
import { GridError } from '../../../grid/errors.ts';

/**
 * Writes records for a source that can wait: while the queue is full it waits for room instead of failing. In the order of
 * the calls only when each call is made after the one before has been queued.
 *
 * @throws GridError those of {@link RecordProducer.send} but `producer-queue-full`.
 */
export async function sendPatiently(
  producer: RecordProducer,
  topic: string,
  records: readonly ProducedRecord[],
  bytes: number,
): Promise<void> {
  for (;;) {
    await producer.ready(bytes);
    try {
      await producer.send(topic, records);
      return;
    } catch (error) {
      if (!(error instanceof GridError) || error.code !== 'producer-queue-full') throw error;
    }
  }
}
