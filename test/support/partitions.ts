import { pino } from 'pino';
import type { ConsumedBatch, ConsumedRecord, PartitionContext } from '../../connectors/kafka/consume/consumed.ts';
import { parseRoutes } from '../../grid/route.ts';
import type { Routes } from '../../streaming/routes/routes-file.ts';

export const SILENT = pino({ level: 'silent' });
export const LIMITS = { maxBytes: 65_536, maxAheadMs: 3_600_000 };

/** Fixed routes from the text of a routes file; no routes at all by default. */
export function routesOf(file: object = {}): Routes {
  const table = parseRoutes(file, 'test routes');
  return { current: () => table };
}

/** What a processor is given of its consumer, and what it committed. */
export interface TestContext extends PartitionContext {
  readonly committed: number[];
}

export function contextOf(groupId: string, topic: string, partition = 0): TestContext {
  const committed: number[] = [];
  return {
    groupId,
    topic,
    partition,
    committed,
    commitOffset(nextOffset) {
      committed.push(nextOffset);
      return Promise.resolve();
    },
    fail(error) {
      throw error;
    },
  };
}

/** When records of tests are appended unless they say otherwise: all at once, so that no segment ends between them. */
const APPENDED_AT_MS = Date.now();

/** A batch of records at consecutive offsets from `firstOffset`; a value that is text or bytes alone stands for its record. */
export function batchOf(
  topic: string,
  values: readonly (string | Buffer | null | Partial<ConsumedRecord>)[],
  firstOffset = 0,
  partition = 0,
): ConsumedBatch {
  const records = values.map((value, index): ConsumedRecord => {
    const given =
      typeof value === 'string'
        ? { value: Buffer.from(value) }
        : value === null || Buffer.isBuffer(value)
          ? { value }
          : value;
    return { offset: firstOffset + index, key: null, value: null, timestampMs: APPENDED_AT_MS, headers: {}, ...given };
  });
  const nextOffset = firstOffset + records.length;
  return { topic, partition, records, nextOffset, highWatermark: nextOffset, expiredOffsets: 0 };
}
