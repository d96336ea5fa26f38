import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/**
 * The readings that this process wrote lately, by a digest of their bytes (which hold the correlation id): what is sent
 * again within the window need not be written again. It is bounded in number and age and forgotten with the process; that
 * a reading is stored once is not its promise, downstream recognises a correlation id whenever it comes.
 */
export class RecentReadings {
  readonly #seen: LRUCache<string, true> | undefined;

  /** @param maxReadings 0 switches the window off. */
  constructor(maxReadings: number, maxAgeMs: number) {
    this.#seen =
      maxReadings === 0 ? undefined : new LRUCache({ max: maxReadings, ttl: maxAgeMs, ttlResolution: 1_000 });
  }

  /** What stands for a reading in the window: the bytes' SHA-1, a quick one that does not collide by accident. */
  digest(bytes: Buffer): string {
    return this.#seen === undefined ? '' : hash('sha1', bytes, 'binary');
  }

  has(digest: string): boolean {
    return this.#seen?.has(digest) ?? false;
  }

  /** To be called once the reading was acknowledged, never before. */
  add(digest: string): void {
    this.#seen?.set(digest, true);
  }
}
