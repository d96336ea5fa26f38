import type { ConsumedBatch, ConsumedRecord } from '../../connectors/kafka/consume/consumed.ts';
import { decodeEnvelope, type DecodeLimits, type Rejection } from '../../grid/envelope.ts';
import type { Reading } from '../../grid/reading.ts';
import type { Route } from '../../grid/route.ts';
import type { SwitchableSink } from '../../grid/sinks.ts';
import { Counter, type Registry } from '../../runtime/metrics.ts';
import type { Routes } from '../routes/routes-file.ts';

/** A record of readings, decoded, and where it goes; or why it cannot be read. */
export type RoutedRecord =
  | {
      readonly kind: 'reading';
      readonly record: ConsumedRecord;
      readonly value: Buffer;
      readonly reading: Reading;
      readonly route: Route;
    }
  | { readonly kind: 'unreadable'; readonly record: ConsumedRecord; readonly rejection: Rejection };

export interface DecodeAndRoute {
  readonly routes: Routes;
  readonly limits: DecodeLimits;
}

/** The records of a batch in their order, by the routes that are in force when it begins. */
export function* routedRecords(
  batch: ConsumedBatch,
  { routes, limits }: DecodeAndRoute,
): Generator<RoutedRecord, void> {
  const table = routes.current();
  for (const record of batch.records) {
    const { value } = record;
    const decoded = decodeEnvelope(value, record.timestampMs, limits);
    if (!decoded.ok) yield { kind: 'unreadable', record, rejection: decoded.rejection };
    else if (value !== null) {
      yield { kind: 'reading', record, value, reading: decoded.reading, route: table.routeOf(decoded.reading) };
    }
  }
}

/** A reading that a sink takes. */
export type TakenReading = RoutedRecord & { readonly kind: 'reading' };

/** Goes once through the readings of a batch that routes leave to a sink, and counts the other records. */
export class ReadingsFor implements Iterable<TakenReading> {
  readonly #sink: SwitchableSink;
  readonly #batch: ConsumedBatch;
  readonly #options: DecodeAndRoute;
  unreadable = 0;
  switchedOff = 0;

  constructor(sink: SwitchableSink, batch: ConsumedBatch, options: DecodeAndRoute) {
    this.#sink = sink;
    this.#batch = batch;
    this.#options = options;
  }

  *[Symbol.iterator](): Generator<TakenReading, void> {
    for (const routed of routedRecords(this.#batch, this.#options)) {
      if (routed.kind === 'unreadable') this.unreadable++;
      else if (routed.route.sinks[this.#sink]) yield routed;
      else this.switchedOff++;
    }
  }
}

/** Counts what became of a sink's records. */
export class OutcomeCounter<Outcome extends string> {
  readonly #counter: Counter<'outcome'>;

  constructor(metrics: Registry, name: string, help: string) {
    this.#counter = new Counter({ name, help, labelNames: ['outcome'] as const, registers: [metrics] });
  }

  add(outcome: Outcome, records: number): void {
    if (records > 0) this.#counter.inc({ outcome }, records);
  }
}
