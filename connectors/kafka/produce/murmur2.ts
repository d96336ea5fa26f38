/**
 * Kafka's default partitioning of keyed records: murmur2 over the key's bytes, as in the Java client's
 * `org.apache.kafka.common.utils.Utils.murmur2` and `toPositive`. Whatever else writes the topic with the standard
 * clients sends a sensor to the same partition.
 */

const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** Key bytes are laid out here when they are text; longer keys get a buffer of their own. */
const scratch = Buffer.allocUnsafe(1_024);

/** Murmur2 of `length` bytes of `data` as a signed 32-bit integer. */
export function murmur2(data: Uint8Array, length = data.length): number {
  let hash = SEED ^ length;
  const whole = length & ~3;
  for (let at = 0; at < whole; at += 4) {
    let word = byte(data, at) | (byte(data, at + 1) << 8) | (byte(data, at + 2) << 16) | (byte(data, at + 3) << 24);
    word = Math.imul(word, M);
    word ^= word >>> 24;
    word = Math.imul(word, M);
    hash = Math.imul(hash, M) ^ word;
  }
  const rest = length & 3;
  if (rest === 3) hash ^= byte(data, whole + 2) << 16;
  if (rest >= 2) hash ^= byte(data, whole + 1) << 8;
  if (rest >= 1) {
    hash ^= byte(data, whole);
    hash = Math.imul(hash, M);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  return hash ^ (hash >>> 15);
}

/** The partition, from 0 to `partitions` − 1, of records with this key. */
export function partitionOfKey(key: string | Buffer, partitions: number): number {
  return (hashOf(key) & 0x7fffffff) % partitions;
}

function hashOf(key: string | Buffer): number {
  if (typeof key !== 'string') return murmur2(key);
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (key.length * 3 > scratch.length) return murmur2(Buffer.from(key));
  return murmur2(scratch, scratch.write(key));
}

function byte(data: Uint8Array, at: number): number {
  return data[at] ?? 0;
}
