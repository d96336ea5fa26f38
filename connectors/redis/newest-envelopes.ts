import { TEMPORAL_ASPECTS, type TemporalAspect } from '../../grid/reading.ts';
import type { RedisConnection } from './connection.ts';
import { aspectKey } from './newest-keys.ts';

/** The newest envelopes of a sensor, as text, by aspect. */
export type NewestEnvelopes = ReadonlyMap<TemporalAspect, string>;

/** A key that is no sensor's id holds a control character. */
const CONTROL = /\p{Cc}/u;

/**
 * The newest envelope of each aspect of some sensors, in their order.
 *
 * @throws GridError `redis-unavailable`, `redis-refused`
 */
export async function newestEnvelopes(
  redis: RedisConnection,
  sensorIds: readonly string[],
): Promise<readonly NewestEnvelopes[]> {
  if (sensorIds.length === 0) return [];
  const keys = sensorIds.flatMap((sensorId) => TEMPORAL_ASPECTS.map((aspect) => aspectKey(sensorId, aspect)));
  const reply = await redis.call('MGET', keys, `Reading the newest values of ${sensorIds.length} sensors`);
  const values: readonly unknown[] = Array.isArray(reply) ? reply : [];
  return sensorIds.map((_, index) => {
    const newest = new Map<TemporalAspect, string>();
    for (const [at, aspect] of TEMPORAL_ASPECTS.entries()) {
      const value = values[index * TEMPORAL_ASPECTS.length + at];
      if (typeof value === 'string') newest.set(aspect, value);
    }
    return newest;
  });
}

/**
 * Sensors that have a newest value, in no order; a step of a scan, which may bring none, and one twice.
 *
 * @param cursor '0' to begin with, then that of the step before; it is '0' again at the end
 * @throws GridError `redis-unavailable`, `redis-refused`
 */
export async function scanSensors(
  redis: RedisConnection,
  cursor: string,
  about: number,
): Promise<{ readonly cursor: string; readonly sensorIds: readonly string[] }> {
  const reply = await redis.call('SCAN', [cursor, 'COUNT', about, 'TYPE', 'string'], 'Looking through the sensors');
  const [next, keys] = (Array.isArray(reply) ? reply : []) as [unknown, unknown];
  const ids = (Array.isArray(keys) ? keys : []).filter((key): key is string => typeof key === 'string');
  return { cursor: typeof next === 'string' ? next : '0', sensorIds: ids.filter((key) => !CONTROL.test(key)) };
}
