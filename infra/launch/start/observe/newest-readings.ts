import type { RedisConnection } from '../../../../connectors/redis/connection.ts';
import { decodeEnvelope, type DecodeLimits } from '../../../../grid/envelope.ts';
import type { Reading } from '../../../../grid/reading.ts';

/** Keys that one look asks for when the preferred sensors have no values. */
const SCANNED_KEYS = 50;

/**
 * The newest readings of up to `count` sensors, as they lie in Redis: of the preferred ones that have one, else of any.
 */
export async function readNewest(
  redis: RedisConnection,
  preferredIds: readonly string[],
  count: number,
  limits: DecodeLimits,
): Promise<Reading[]> {
  const preferred = await readingsOf(redis, preferredIds, limits);
  if (preferred.length >= Math.min(count, preferredIds.length) && preferred.length > 0)
    return preferred.slice(0, count);
  const scanned = await redis.call('SCAN', ['0', 'COUNT', SCANNED_KEYS], 'Looking for sensors');
  const keys = Array.isArray(scanned) && Array.isArray(scanned[1]) ? (scanned[1] as unknown[]) : [];
  const others = keys
    .filter((key): key is string => typeof key === 'string' && !/\p{Cc}/u.test(key) && !preferredIds.includes(key))
    .sort();
  return [...preferred, ...(await readingsOf(redis, others, limits))].slice(0, count);
}

async function readingsOf(redis: RedisConnection, ids: readonly string[], limits: DecodeLimits): Promise<Reading[]> {
  if (ids.length === 0) return [];
  const values = await redis.call('MGET', ids, 'Reading the newest values');
  if (!Array.isArray(values)) return [];
  return values.flatMap((value: unknown) => {
    if (typeof value !== 'string') return [];
    const decoded = decodeEnvelope(Buffer.from(value), Date.now(), limits);
    return decoded.ok ? [decoded.reading] : [];
  });
}
