import { aggregateOf, EMPTY, merged, SQUARE_SCALE, type Aggregate } from '../../grid/aggregate/aggregate.ts';
import { EXACT_SCALE, exactUnits, unitsOf } from '../../grid/aggregate/exact-decimal.ts';
import { RESOLUTIONS, windowLengthMs, windowStartMs, type Resolution } from '../../grid/aggregate/window.ts';
import { eventTimeOrderKey } from '../../grid/decimal-text.ts';
import { decodeThoroughly } from '../../grid/envelope.ts';
import { windowUnit } from '../../grid/aggregate/window-unit.ts';
import { storableText } from '../../grid/storable-text.ts';
import type { Reading } from '../../grid/reading.ts';
import { isTextBefore } from '../../grid/text-order.ts';
import type { ServingDatabase } from '../../connectors/postgres/serving/serving-database.ts';

/** A window's aggregate, with what only batch views have; sums of values times ms in units of 10⁻⁸. */
export interface Window extends Aggregate {
  readonly weightedSum: bigint;
  readonly weightedMs: number;
}

/** Windows by `sensor | aspect | unit | resolution | start`. */
export type Windows = Readonly<Record<string, Window>>;

const DAY_MS = windowLengthMs('day');
const WEIGHTED_SCALE = 8;

/** Windows computed in another way than by Hive: envelopes in the order of their partition, one by one, in memory. */
export function windowsOf(envelopes: readonly string[], resolutions: readonly Resolution[] = RESOLUTIONS): Windows {
  const seen = new Set<string>();
  const readings: Reading[] = [];
  for (const envelope of envelopes) {
    const decoded = decodeThoroughly(Buffer.from(envelope), Number.MAX_SAFE_INTEGER, {
      maxBytes: 1 << 20,
      maxAheadMs: 0,
      stored: true,
    });
    if (!decoded.ok) throw new Error(`${envelope}: ${decoded.rejection.message}`);
    const { reading } = decoded;
    const stored = { ...reading, unit: windowUnit(reading.unit), correlationId: storableText(reading.correlationId) };
    const identity = `${stored.correlationId} ${Math.floor(stored.eventTimeMs / DAY_MS)}`;
    if (!seen.has(identity)) readings.push(stored);
    seen.add(identity);
  }
  const windows: Record<string, Window> = {};
  const series = new Map<string, Reading[]>();
  for (const reading of readings) {
    const name = `${reading.sensorId} | ${reading.aspect} | ${reading.unit}`;
    series.set(name, [...(series.get(name) ?? []), reading]);
  }
  for (const [name, unordered] of series) {
    const ordered = [...unordered].sort((a, b) => (isTextBefore(orderOf(a), orderOf(b)) ? -1 : 1));
    for (const resolution of resolutions) {
      for (const [index, reading] of ordered.entries()) {
        const startMs = windowStartMs(reading.eventTimeMs, resolution);
        const endMs = startMs + windowLengthMs(resolution);
        const key = `${name} | ${resolution} | ${new Date(startMs).toISOString()}`;
        const window = windows[key] ?? { ...EMPTY, weightedSum: 0n, weightedMs: 0 };
        const heldMs = Math.min(ordered[index + 1]?.eventTimeMs ?? endMs, endMs) - reading.eventTimeMs;
        const units = exactUnits(reading.modality);
        windows[key] = {
          ...merged(window, aggregateOf(reading)),
          weightedSum: window.weightedSum + (units === undefined ? 0n : rounded(units) * BigInt(heldMs)),
          weightedMs: window.weightedMs + (units === undefined ? 0 : heldMs),
        };
      }
    }
  }
  return windows;
}

function orderOf({ createdAt, correlationId }: Reading): string {
  return `${eventTimeOrderKey(createdAt)} ${correlationId}`;
}

/** To 8 decimals, half away from zero. */
function rounded(units: bigint): bigint {
  const factor = 10n ** BigInt(EXACT_SCALE - WEIGHTED_SCALE);
  const away = units < 0n ? -factor / 2n : factor / 2n;
  return (units + away) / factor;
}

interface Row {
  readonly key: string;
  readonly reading_count: string;
  readonly inexact_count: string;
  readonly unsquared_count: string;
  readonly value_sum: string;
  readonly value_sum_of_squares: string;
  readonly value_min: string | null;
  readonly value_max: string | null;
  readonly first_order: string;
  readonly first_value: string;
  readonly last_order: string;
  readonly last_value: string;
  readonly weighted_sum: string;
  readonly weighted_ms: string;
}

/** What the batch view holds. */
export async function publishedWindows(serving: ServingDatabase): Promise<Windows> {
  const rows = await serving.query<Row>(
    `SELECT concat_ws(' | ', sensor_id, aspect, unit, resolution,
       to_char(window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) AS key, *
     FROM ${serving.schema}.batch_view`,
  );
  const units = (text: string | null): bigint | undefined => (text === null ? undefined : unitsOf(text, EXACT_SCALE));
  return Object.fromEntries(
    rows.map((row) => [
      row.key,
      {
        count: Number(row.reading_count),
        inexact: Number(row.inexact_count),
        unsquared: Number(row.unsquared_count),
        sum: unitsOf(row.value_sum, EXACT_SCALE),
        sumOfSquares: unitsOf(row.value_sum_of_squares, SQUARE_SCALE),
        min: units(row.value_min),
        max: units(row.value_max),
        first: { order: row.first_order, value: row.first_value },
        last: { order: row.last_order, value: row.last_value },
        weightedSum: unitsOf(row.weighted_sum, WEIGHTED_SCALE),
        weightedMs: Number(row.weighted_ms),
      },
    ]),
  );
}
