import type { Kafka } from 'kafkajs';
import { GridError } from '../../../grid/errors.ts';
import { within } from '../../../runtime/waiting/time-limit.ts';
import { failureText } from '../failure.ts';

/** What consumer groups have committed of topics. */
export interface CommittedOffsets {
  /** By partition; those without a commit are not in it. */
  of(groupId: string, topic: string): ReadonlyMap<number, number>;
}

/**
 * What groups have committed, each of its topics, over one connection.
 *
 * @throws GridError `kafka-unavailable`
 */
export async function committedOffsets(
  kafka: Kafka,
  groups: readonly { readonly groupId: string; readonly topics: readonly string[] }[],
  timeoutMs: number,
): Promise<CommittedOffsets> {
  const admin = kafka.admin();
  const found = new Map<string, Map<number, number>>();
  try {
    await within(timeoutMs, admin.connect());
    const asked = Promise.all(
      groups.map(async ({ groupId, topics }) => ({
        groupId,
        offsets: await admin.fetchOffsets({ groupId, topics: [...topics] }),
      })),
    );
    for (const { groupId, offsets } of await within(timeoutMs, asked)) {
      for (const { topic, partitions } of offsets) {
        const committed = partitions.filter(({ offset }) => Number(offset) >= 0);
        found.set(
          `${groupId} ${topic}`,
          new Map(committed.map(({ partition, offset }) => [partition, Number(offset)])),
        );
      }
    }
  } catch (error) {
    throw new GridError(
      'kafka-unavailable',
      `Asking Kafka what consumer groups have read: ${failureText(error)}. It is asked again.`,
      {
        cause: error,
      },
    );
  } finally {
    await within(1_000, admin.disconnect()).catch(() => undefined);
  }
  return { of: (groupId, topic) => found.get(`${groupId} ${topic}`) ?? new Map() };
}
