import type {
  CloseReason,
  OpenAnswer,
  PartitionContext,
  PartitionProcessor,
} from '../../connectors/kafka/consume/consumed.ts';
import { GridError } from '../../grid/errors.ts';

/** Notes what it is given; may be told to fail or where to start. */
export class Recorder {
  readonly values = new Map<number, string[]>();
  /** Key and headers of what it was given, as text. */
  readonly records: { readonly key: string | null; readonly headers: Readonly<Record<string, string>> }[] = [];
  readonly closes: string[] = [];
  failing = new Set<number>();
  startAt: OpenAnswer = 'committed';
  expired = 0;
  lastContext: PartitionContext | undefined;

  readonly create = (context: PartitionContext): PartitionProcessor => {
    this.lastContext = context;
    return {
      open: () => Promise.resolve(this.startAt),
      process: async (batch) => {
        if (this.failing.has(batch.partition))
          throw new GridError('hdfs-unavailable', 'the store is down, says the test');
        const seen = this.values.get(batch.partition) ?? [];
        for (const { key, value, headers } of batch.records) {
          seen.push(value?.toString() ?? '');
          const texts = Object.entries(headers).map(([name, header]) => [name, String(header)] as const);
          this.records.push({ key: key?.toString() ?? null, headers: Object.fromEntries(texts) });
        }
        this.values.set(batch.partition, seen);
        this.expired += batch.expiredOffsets;
        await context.commitOffset(batch.nextOffset);
      },
      close: (reason: CloseReason) => {
        this.closes.push(`${context.partition}:${reason.kind}`);
        return Promise.resolve();
      },
    };
  };

  count(partition: number): number {
    return this.values.get(partition)?.length ?? 0;
  }
}

/** `count` numbers as text, from `from` on. */
export const numbers = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => String(from + index));
