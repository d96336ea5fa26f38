import type { ProducedRecord } from '../../../connectors/kafka/produce/record-producer.ts';

/** What a source hands over at once. */
export interface SourceBatch {
  /** Records by topic, in the order in which they are to be written. */
  readonly sends: readonly { readonly topic: string; readonly records: readonly ProducedRecord[] }[];
  /** Their keys, values and headers, about. */
  readonly bytes: number;
  /** How many records of each kind it holds; kinds may overlap (an aspect, a fault), `total` counts each record once. */
  readonly counts: Readonly<Record<string, number>> & { readonly total: number };
  /** Called once Kafka has acknowledged all of it and of every batch before it. */
  readonly onAcknowledged?: () => void;
}

/** What a source has for a moment of its schedule. */
export type Taken =
  | { readonly kind: 'batch'; readonly batch: SourceBatch }
  /** Nothing before this moment of the schedule, epoch milliseconds. */
  | { readonly kind: 'not-yet'; readonly dueMs: number }
  | { readonly kind: 'finished' };

/**
 * A source of readings that follow a schedule. It produces only what it is asked for, so its memory does not depend on
 * how fast Kafka takes the records; who asks, and at what pace, is none of its affair.
 */
export interface PacedSource {
  readonly name: string;
  /** What is due up to `untilMs` of the schedule (`Infinity`: all), at most about `maxRecords`. Never called twice at once. */
  take(untilMs: number, maxRecords: number): Promise<Taken>;
  /** Lets go of files and saves its position. Called once, after the last batch that will be acknowledged was. */
  close(): Promise<void>;
}

/** Adds `counts` to `sum`. */
export function addCounts(sum: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [kind, count] of Object.entries(counts)) sum[kind] = (sum[kind] ?? 0) + count;
}

/** About what a record takes on its way. */
export function recordBytes(record: ProducedRecord): number {
  const RECORD_OVERHEAD_BYTES = 32;
  let bytes = RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  if (record.headers !== undefined) {
    for (const [name, value] of Object.entries(record.headers)) bytes += name.length + value.length;
  }
  return bytes;
}
