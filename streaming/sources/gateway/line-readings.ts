import { randomUUID } from 'node:crypto';
import { v5 as uuidV5 } from 'uuid';
import { encodeEnvelope, type Rejection } from '../../../grid/envelope.ts';
import { TEMPORAL_ASPECTS, type TemporalAspect } from '../../../grid/reading.ts';
import { epochSecondsText, type EpochUnit } from './epoch-text.ts';
import type { Point } from './line-protocol.ts';

/** Unit of a line's timestamp; the names of both generations of the InfluxDB API. */
export const PRECISIONS: ReadonlyMap<string, Precision> = new Map([
  ['ns', { unit: 'ns', factor: 1n }],
  ['n', { unit: 'ns', factor: 1n }],
  ['us', { unit: 'us', factor: 1n }],
  ['u', { unit: 'us', factor: 1n }],
  ['µ', { unit: 'us', factor: 1n }],
  ['ms', { unit: 'ms', factor: 1n }],
  ['s', { unit: 's', factor: 1n }],
  ['m', { unit: 's', factor: 60n }],
  ['h', { unit: 's', factor: 3_600n }],
]);
export const DEFAULT_PRECISION = 'ns';

export interface Precision {
  readonly unit: EpochUnit;
  readonly factor: bigint;
}

export type LineReading =
  { readonly ok: true; readonly envelope: string } | { readonly ok: false; readonly rejection: Rejection };

/** Tags that say something about a reading rather than which sensor it is. */
const UNIT_TAG = 'unit';
const ASPECT_TAG = 'temporal_aspect';
const ID_TAGS = ['sensor_id', 'station_id'] as const;
/** Fields that are the sensor's own value; any other is a measured quantity of its own. */
const VALUE_FIELDS: ReadonlySet<string> = new Set(['modality', 'value']);

/** Namespace of the correlation ids of readings that came as line protocol. */
const NAMESPACE = 'f0b1c0de-6f4c-5a51-8b6e-2d3a9c7e4b10';

/**
 * The readings of one point, one a field:
 *
 * - sensor: tag `sensor_id` or `station_id`, else the series key (measurement and the other tags, sorted); a field that is
 *   not named `modality` or `value` appends `.<field>`, so a field added later never changes the sensor of another;
 * - unit: tag `unit`, else empty; aspect: tag `temporal_aspect`, else `real_time`;
 * - event time: the timestamp, exactly; without one, the time of receipt;
 * - correlation id: derived from series, field, timestamp and value, so a line that is sent again is the same reading; a line
 *   without a timestamp is a new reading each time.
 */
export function* lineReadings(point: Point, precision: Precision, receivedAtMs: number): Generator<LineReading> {
  const { timestamp } = point;
  const tags = new Map(point.tags);
  const aspect = tags.get(ASPECT_TAG) ?? 'real_time';
  if (!isAspect(aspect)) {
    const message = `temporal_aspect is ${JSON.stringify(aspect)}; it must be one of: ${TEMPORAL_ASPECTS.join(', ')}.`;
    yield reject('unknown-aspect', ASPECT_TAG, message);
    return;
  }
  const series = seriesKey(point);
  const id = tags.get(ID_TAGS[0]) ?? tags.get(ID_TAGS[1]);
  const sensor = id ?? series;
  const createdAt =
    timestamp === undefined ? epochSecondsText(String(receivedAtMs), 'ms') : secondsText(timestamp, precision);
  for (const [field, value] of point.fields) {
    if (value.kind === 'not-a-number') {
      yield reject('not-a-number', field, `${field} is ${value.text}; it must be a finite number.`);
    } else if (value.kind !== 'number') {
      yield reject('wrong-type', field, `${field} is a ${value.kind}; only numbers are readings.`);
    } else {
      const identity = JSON.stringify([series, id ?? '', aspect, field, createdAt, value.text]);
      yield {
        ok: true,
        envelope: encodeEnvelope({
          sensorId: VALUE_FIELDS.has(field) ? sensor : `${sensor}.${field}`,
          modality: value.text,
          unit: tags.get(UNIT_TAG) ?? '',
          aspect,
          correlationId: timestamp === undefined ? randomUUID() : uuidV5(identity, NAMESPACE),
          createdAt,
        }),
      };
    }
  }
}

function secondsText(timestamp: string, { unit, factor }: Precision): string {
  return epochSecondsText(factor === 1n ? timestamp : String(BigInt(timestamp) * factor), unit);
}

/** Measurement and identifying tags, the latter sorted: the order of tags means nothing. */
function seriesKey({ measurement, tags }: Point): string {
  const identifying = tags.filter(
    ([key]) => key !== UNIT_TAG && key !== ASPECT_TAG && !(ID_TAGS as readonly string[]).includes(key),
  );
  return [measurement, ...identifying.map(([key, value]) => `${key}=${value}`).sort()].join(',');
}

function isAspect(text: string): text is TemporalAspect {
  return (TEMPORAL_ASPECTS as readonly string[]).includes(text);
}

function reject(code: Rejection['code'], field: string, message: string): LineReading {
  return { ok: false, rejection: { code, field, message } };
}
