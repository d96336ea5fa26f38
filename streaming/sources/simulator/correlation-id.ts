import { createHash } from 'node:crypto';
import type { TemporalAspect } from '../../../grid/reading.ts';

/**
 * Correlation ids of one run: UUIDs of version 8, the one for layouts of one's own (RFC 9562, section 5.8). They are unique
 * by construction rather than by chance, cost no hash a reading, and whoever looks at one sees whence it is:
 *
 *     rrrrrrrr-rrrr-8sss-Asss-nnnnnnnnnnnn
 *     r run (48 bits of a hash over all that decides its values), s sensor (24 bits), A 8 = real_time, 9 = edge_prediction,
 *     n the sensor's how-many-th reading (48 bits)
 */
export class CorrelationIds {
  readonly #prefix: string;

  /** @param run all that decides a run's readings: runs that differ in any of it have no id in common. */
  constructor(run: Readonly<Record<string, string | number>>) {
    const hash = createHash('sha256').update(JSON.stringify(run)).digest('hex');
    this.#prefix = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8`;
  }

  /** The id of a sensor's n-th reading; `sensor` below 2^24. */
  id(sensor: number, n: number, aspect: TemporalAspect): string {
    const sensorText = sensor.toString(16).padStart(6, '0');
    const nibble = aspect === 'real_time' ? '8' : '9';
    return `${this.#prefix}${sensorText.slice(0, 3)}-${nibble}${sensorText.slice(3)}-${n.toString(16).padStart(12, '0')}`;
  }
}

/** Sensors that a run can tell apart. */
export const MOST_SENSORS = 1 << 24;
