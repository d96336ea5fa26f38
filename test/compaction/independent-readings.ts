import { EXACT_SCALE, exactUnits, unitsOf } from '../../grid/aggregate/exact-decimal.ts';
import { windowUnit } from '../../grid/aggregate/window-unit.ts';
import { decodeThoroughly } from '../../grid/envelope.ts';
import { storableText } from '../../grid/storable-text.ts';

/** A row of `readings_raw` or `readings_all`. */
export interface ShownReading {
  readonly sensorId: string;
  readonly aspect: string;
  readonly unit: string;
  readonly valueText: string;
  /** Undefined where DECIMAL(38,18) cannot hold it. */
  readonly value: string | undefined;
  readonly eventTime: string;
  readonly eventMs: number;
  readonly createdAt: string;
  readonly correlationId: string;
  readonly partition: number;
  readonly firstOffset: number;
  readonly place: number;
  readonly day: string;
}

export function rowText(reading: ShownReading): string {
  const { sensorId, aspect, unit, valueText, value, eventTime, eventMs, createdAt, correlationId, day } = reading;
  const units = value === undefined ? 'none' : String(unitsOf(value, EXACT_SCALE));
  const time = Date.parse(`${eventTime.replace(' ', 'T')}Z`);
  const place = [reading.partition, reading.firstOffset, reading.place];
  return JSON.stringify([
    sensorId,
    aspect,
    unit,
    valueText,
    units,
    time,
    eventMs,
    createdAt,
    correlationId,
    place,
    day,
  ]);
}

/** What files of master data say, read in another way than by Hive: line by line, in memory. */
export function readingsIn(files: ReadonlyMap<string, readonly string[]>): ShownReading[] {
  return [...files].flatMap(([path, lines]) => {
    const [, partition, firstOffset] = /\+(\d+)\+(\d+)\+\d+\.json$/.exec(path) ?? [];
    let place = 0;
    return lines.map((line) => {
      const at = place;
      place += Buffer.byteLength(line) + 1;
      return { ...readingOf(line), partition: Number(partition), firstOffset: Number(firstOffset), place: at };
    });
  });
}

/** Of readings with one correlation id on one event day the first, by its file's first offset and its place there. */
export function once(readings: readonly ShownReading[]): ShownReading[] {
  const first = new Map<string, ShownReading>();
  const ordered = [...readings].sort(
    (a, b) => a.firstOffset - b.firstOffset || a.place - b.place || a.partition - b.partition,
  );
  for (const reading of ordered) {
    const key = `${reading.correlationId} ${reading.day}`;
    if (!first.has(key)) first.set(key, reading);
  }
  return [...first.values()];
}

function readingOf(line: string): Omit<ShownReading, 'partition' | 'firstOffset' | 'place'> {
  const decoded = decodeThoroughly(Buffer.from(line), Number.MAX_SAFE_INTEGER, {
    maxBytes: 1 << 20,
    maxAheadMs: 0,
    stored: true,
  });
  if (!decoded.ok) throw new Error(`${line}: ${decoded.rejection.message}`);
  const { sensorId, aspect, unit, modality, createdAt, correlationId, eventTimeMs } = decoded.reading;
  const time = new Date(eventTimeMs).toISOString();
  return {
    sensorId,
    aspect,
    unit: windowUnit(unit),
    valueText: modality,
    value: decimalText(exactUnits(modality)),
    eventTime: time.slice(0, -1),
    eventMs: eventTimeMs,
    createdAt,
    correlationId: storableText(correlationId),
    day: time.slice(0, 10),
  };
}

function decimalText(units: bigint | undefined): string | undefined {
  if (units === undefined) return undefined;
  const magnitude = String(units < 0n ? -units : units).padStart(EXACT_SCALE + 1, '0');
  return `${units < 0n ? '-' : ''}${magnitude.slice(0, -EXACT_SCALE)}.${magnitude.slice(-EXACT_SCALE)}`;
}

/** Rows that are in one of two and not in the other, as often as they are: the first of each, so that a failure can be read. */
export function differences(is: readonly string[], shall: readonly string[]) {
  const without = (some: readonly string[], others: readonly string[]): string[] => {
    const left = new Map<string, number>();
    for (const row of others) left.set(row, (left.get(row) ?? 0) + 1);
    return some.filter((row) => {
      const count = left.get(row) ?? 0;
      left.set(row, count - 1);
      return count <= 0;
    });
  };
  const [more, fewer] = [without(is, shall), without(shall, is)];
  return {
    rows: is.length,
    more: more.length,
    fewer: fewer.length,
    examples: [...more.slice(0, 2), ...fewer.slice(0, 2)],
  };
}

export const same = (rows: readonly string[]) => ({ rows: rows.length, more: 0, fewer: 0, examples: [] });
