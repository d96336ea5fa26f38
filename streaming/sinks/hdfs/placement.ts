import type { ConsumedRecord } from '../../../connectors/kafka/consume/consumed.ts';
import { decodeEnvelope, type DecodeLimits } from '../../../grid/envelope.ts';
import type { Routes } from '../../routes/routes-file.ts';

/** Where a record's bytes go, or why they go nowhere. */
export type Placement =
  | {
      readonly kind: 'placed';
      /** Partition path below the topic's directory. */
      readonly path: string;
      /** The line to be written, without its line feed. */
      readonly line: Buffer;
      readonly eventTimeMs: number | undefined;
    }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'not-routed' };

/** Places records of one topic, and names the files that hold them. */
export interface Placer {
  readonly extension: string;
  place(record: ConsumedRecord, partition: number): Placement;
}

const UNREADABLE: Placement = { kind: 'unreadable' };
const NOT_ROUTED: Placement = { kind: 'not-routed' };
const EMPTY = Buffer.alloc(0);

/** Readings: JSON lines, by their route's partition path; late ones under their own event day like all others. */
export function readingPlacer(routes: Routes, limits: DecodeLimits): Placer {
  return {
    extension: 'json',
    place(record) {
      const decoded = decodeEnvelope(record.value, record.timestampMs, limits);
      if (!decoded.ok || record.value === null) return UNREADABLE;
      const route = routes.current().routeOf(decoded.reading);
      if (!route.sinks.hdfs) return NOT_ROUTED;
      return {
        kind: 'placed',
        path: route.hdfsPath(decoded.reading),
        line: decoded.oneLine ? record.value : onOneLine(record.value),
        eventTimeMs: decoded.reading.eventTimeMs,
      };
    },
  };
}

/** Text: its lines as they are, by Kafka partition. */
export function textPlacer(): Placer {
  return {
    extension: 'txt',
    place: (record, partition) => ({
      kind: 'placed',
      path: `partition=${partition}`,
      line: record.value ?? EMPTY,
      eventTimeMs: undefined,
    }),
  };
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/**
 * In valid JSON a line break can stand only between tokens, where a space means the same; in a file of JSON lines it
 * would tear the record apart. All other bytes stay as they are.
 */
function onOneLine(value: Buffer): Buffer {
  return Buffer.from(value.map((byte) => (byte === LINE_FEED || byte === CARRIAGE_RETURN ? SPACE : byte)));
}
