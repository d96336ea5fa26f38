import type { TemporalAspect } from '../../grid/reading.ts';

/**
 * The names under which the newest values lie in Redis. A sensor's id itself is the key of its newest envelope. The names
 * beside it hold a control character, which no sensor id can: they never collide with one.
 */

/** Redis Cluster's hash tag: the first `{`, something, and the next `}`; only what is between decides the slot. */
const HASH_TAG = /^[^{]*\{[^}]+\}/;

/**
 * The key of the versions that guard a sensor's values. It hashes to the value's slot of a Redis Cluster: an id with a hash
 * tag keeps its tag, any other becomes one. (The exception is an id with a `}` but no tag, which no tag can equal.)
 */
export function versionKey(sensorId: string): string {
  // Different endings, since the ids `6` and `{6}` must not share a version.
  return HASH_TAG.test(sensorId) ? `${sensorId}\u0001t` : `{${sensorId}}\u0001v`;
}

/**
 * The key of the newest envelope that a sensor has of one aspect: `{6}\x01real_time`. In the slot of the sensor's value, as
 * {@link versionKey} is; ids that differ only by a tag do not share it.
 */
export function aspectKey(sensorId: string, aspect: TemporalAspect): string {
  return HASH_TAG.test(sensorId) ? `${sensorId}\u0001t\u0001${aspect}` : `{${sensorId}}\u0001${aspect}`;
}

/** A hash: `<group>+<topic>+<partition>` → the offset behind the last record that is in the newest values. */
export const POSITIONS_KEY = '\u0001positions';

export function positionField(group: string, topic: string, partition: number): string {
  return `${group}+${topic}+${partition}`;
}
