import type { Admin } from 'kafkajs';
import { GridError } from '../../../grid/errors.ts';
import { failureText } from '../failure.ts';
import type { OpenAnswer } from './consumed.ts';

/** Where reading a partition starts, and what Kafka still has of it. */
export interface StartOffset {
  /** Before the wanted one where what lies before is read again. */
  readonly offset: number;
  /** What lies before it is not missed when it is gone: `offset`, or where reading again ends. */
  readonly firstUnread: number;
  /** Offsets that should have been read but were removed by retention. */
  readonly expiredOffsets: number;
  /** The partition's end: the offset that its next record will have. */
  readonly highWatermark: number;
}

/**
 * Compares where a processor wants to start with what the partition holds. kafkajs itself answers an offset that is not there
 * by silently starting elsewhere.
 *
 * @param wanted an offset, also with one from which is read again, or `committed` for the one that the group committed last.
 * @throws GridError `kafka-unavailable`; `offset-beyond-end` when the wanted offset lies behind the partition's end.
 */
export async function startOffset(
  admin: Admin,
  groupId: string,
  topic: string,
  partition: number,
  wanted: OpenAnswer,
): Promise<StartOffset> {
  const { low, high } = await partitionBounds(admin, topic, partition);
  const committed = wanted === 'committed' ? await committedOffset(admin, groupId, topic, partition) : -1;
  // What went before a group's first start is nobody's loss: it begins with what there is.
  if (wanted === 'committed' && committed < 0) {
    return { offset: low, firstUnread: low, expiredOffsets: 0, highWatermark: high };
  }
  const offset = wanted === 'committed' ? committed : typeof wanted === 'number' ? wanted : wanted.offset;
  if (offset > high) {
    throw new GridError(
      'offset-beyond-end',
      `Reading ${topic}/${partition} for ${groupId}: everything before offset ${offset} is done, but the partition ends at ${high}. The topic was deleted and made anew, or the broker lost records. Give the new topic another name, or reset the store together with the topic.`,
    );
  }
  const expiredOffsets = offset === 0 ? 0 : Math.max(0, low - offset);
  const from = typeof wanted === 'object' ? Math.min(wanted.rereadFrom, offset) : offset;
  return { offset: Math.max(from, low), firstUnread: Math.max(offset, low), expiredOffsets, highWatermark: high };
}

/**
 * The first offset that a partition still holds, and the one that its next record will have.
 *
 * @throws GridError `kafka-unavailable`.
 */
export async function partitionBounds(
  admin: Admin,
  topic: string,
  partition: number,
): Promise<{ readonly low: number; readonly high: number }> {
  try {
    const bounds = (await admin.fetchTopicOffsets(topic)).find((entry) => entry.partition === partition);
    return { low: Number(bounds?.low ?? 0), high: Number(bounds?.high ?? 0) };
  } catch (error) {
    throw new GridError(
      'kafka-unavailable',
      `Asking Kafka where ${topic}/${partition} begins and ends: ${failureText(error)}. It is asked again.`,
      { cause: error },
    );
  }
}

/** The offset that a group committed; negative when it has committed none. */
export async function committedOffset(
  admin: Admin,
  groupId: string,
  topic: string,
  partition: number,
): Promise<number> {
  try {
    const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return Number(group?.partitions.find((entry) => entry.partition === partition)?.offset ?? -1);
  } catch (error) {
    throw new GridError(
      'kafka-unavailable',
      `Asking Kafka what ${groupId} has committed of ${topic}/${partition}: ${failureText(error)}. It is asked again.`,
      { cause: error },
    );
  }
}
