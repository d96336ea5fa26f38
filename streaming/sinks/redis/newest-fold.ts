import type { NewestCandidate, VersionedValue } from '../../../connectors/redis/newest-values.ts';
import { eventTimeOrderKey } from '../../../grid/decimal-text.ts';
import type { Reading, TemporalAspect } from '../../../grid/reading.ts';

const OFFSET_DIGITS = 20;
const PARTITION_DIGITS = 10;

/**
 * The version of a reading as decimal digits: event time (30 digits), offset (20), partition (10). Comparing two as text
 * tells which reading is the newer: the later event time; of equal ones the higher offset; and should a sensor's readings
 * lie in several partitions (a producer that uses another key), of equal offsets too the higher partition.
 */
export function readingVersion(createdAt: string, offset: number, partition: number): string {
  return (
    eventTimeOrderKey(createdAt) +
    String(offset).padStart(OFFSET_DIGITS, '0') +
    String(partition).padStart(PARTITION_DIGITS, '0')
  );
}

interface Newest {
  readonly reading: Reading;
  readonly offset: number;
  readonly value: Buffer;
}

/** Folds the readings of one partition to the newest of each sensor and aspect, so that a store sees each once. */
export class NewestFold {
  readonly #partition: number;
  readonly #newest = new Map<string, Map<TemporalAspect, Newest>>();

  constructor(partition: number) {
    this.#partition = partition;
  }

  /** How many sensors it holds. */
  get size(): number {
    return this.#newest.size;
  }

  /** Takes a reading. Within a partition offsets only rise, but in any order the same comes out. */
  add(reading: Reading, offset: number, value: Buffer): void {
    let ofSensor = this.#newest.get(reading.sensorId);
    if (ofSensor === undefined) {
      ofSensor = new Map();
      this.#newest.set(reading.sensorId, ofSensor);
    }
    const held = ofSensor.get(reading.aspect);
    if (held === undefined || isNewer(reading, offset, held)) ofSensor.set(reading.aspect, { reading, offset, value });
  }

  /** What it holds, with versions; it is empty afterwards. */
  drain(): NewestCandidate[] {
    const candidates: NewestCandidate[] = [];
    for (const [sensorId, ofSensor] of this.#newest) {
      const newest = new Map<TemporalAspect, VersionedValue>();
      for (const [aspect, { reading, offset, value }] of ofSensor) {
        newest.set(aspect, { version: readingVersion(reading.createdAt, offset, this.#partition), value });
      }
      candidates.push({ sensorId, newest });
    }
    this.#newest.clear();
    return candidates;
  }
}

/** As comparing the versions would say, but mostly without making them: milliseconds decide nearly always. */
function isNewer(reading: Reading, offset: number, held: Newest): boolean {
  if (reading.eventTimeMs !== held.reading.eventTimeMs) return reading.eventTimeMs > held.reading.eventTimeMs;
  if (reading.createdAt !== held.reading.createdAt) {
    const key = eventTimeOrderKey(reading.createdAt);
    const heldKey = eventTimeOrderKey(held.reading.createdAt);
    if (key !== heldKey) return key > heldKey;
  }
  return offset > held.offset;
}
