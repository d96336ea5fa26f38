import { encodeEnvelope } from '../../../grid/envelope.ts';
import type { ErrorCode } from '../../../grid/errors.ts';
import type { TemporalAspect } from '../../../grid/reading.ts';
import { Fleet, type FleetOptions, type FleetReading } from './fleet.ts';
import { makeMalformed } from './malformed.ts';
import { RandomStreams } from './random.ts';

/** A fleet and the faults of the way its readings take. */
export interface SimulationOptions extends FleetOptions {
  /** Records in all, duplicates and malformed ones included; undefined for no end. */
  readonly count?: number;
  /** Share of the readings that are sent a second time, the same bytes. */
  readonly duplicateShare: number;
  /** Share that arrives after newer readings of the same sensor. */
  readonly outOfOrderShare: number;
  /** Share that was measured hours or days ago. */
  readonly lateShare: number;
  /** Share that cannot be read, each in one of the ways that have a code. */
  readonly malformedShare: number;
  /** The limit that oversized ones have to pass. */
  readonly maxEnvelopeBytes: number;
}

/** What befell a record. `regular`: nothing. */
export const RECORD_KINDS = ['regular', 'duplicate', 'out-of-order', 'late', 'malformed'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** One record as it goes to the topic. */
export interface SimulatedRecord {
  readonly kind: RecordKind;
  /** Sensor id: the record's key. */
  readonly key: string;
  readonly value: string | Buffer;
  readonly aspect: TemporalAspect;
  /** Why it will be rejected; malformed ones only. */
  readonly code?: ErrorCode;
}

/** A record that is held back until its sensor has sent so many more readings. */
interface Held {
  readonly record: SimulatedRecord;
  readingsLeft: number;
  /** Whether any went before it. */
  overtaken: boolean;
}

/** Bound of what is held back of each sort; beyond it duplicates follow at once and nothing more is put out of order. */
const MOST_HELD = 20_000;
/** A record is held for 1 to so many readings of its sensor, 2 in the mean. */
const LONGEST_HOLD_READINGS = 3;
const MEAN_HOLD_READINGS = 2;
const SHORTEST_LATENESS_MS = 3_600_000;
const LONGEST_LATENESS_MS = 7 * 86_400_000;

/**
 * The records of a simulated fleet, one after the other: pure computation, no clock and no I/O. The same options give
 * the same records, byte for byte; what the readings are does not depend on the faults mixed in.
 *
 * A record is out of order only if a newer reading of its sensor went before, so it is held back until its sensor has sent
 * that; what no newer one has overtaken at the end of a finite run follows as `regular`. While one is held, its sensor has no other out
 * of order, so their share cannot pass a third.
 */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #fleet: Fleet;
  /** Faults have a stream of their own. */
  readonly #faults: RandomStreams;
  readonly #overtaken = new Map<number, Held>();
  readonly #duplicates = new Map<number, Held>();
  /** At most one overtaken record and two duplicates, which follow before the next reading. */
  readonly #ready: SimulatedRecord[] = [];
  #made = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#fleet = new Fleet(options);
    this.#faults = new RandomStreams(1, options.seed, -1 - options.firstSensorId);
  }

  /** Whether the last record of a finite run was taken. */
  get finished(): boolean {
    return (
      this.#made >= this.#count && this.#ready.length === 0 && this.#overtaken.size === 0 && this.#duplicates.size === 0
    );
  }

  /** When the next record is due, epoch milliseconds; what is only held back any more is due at once. */
  get nextDueMs(): number {
    return this.#ready.length > 0 || this.#made >= this.#count ? -Infinity : this.#fleet.nextDueMs;
  }

  /** All records to the end; for a run without an end, for ever. */
  *[Symbol.iterator](): Iterator<SimulatedRecord> {
    for (let record = this.next(); record !== undefined; record = this.next()) yield record;
  }

  /** The next record; undefined after the last. */
  next(): SimulatedRecord | undefined {
    const ready = this.#ready.shift();
    if (ready !== undefined) return ready;
    while (this.#made < this.#count) {
      const record = this.#takeReading();
      if (record !== undefined) return record;
    }
    return this.#takeHeld();
  }

  get #count(): number {
    return this.#options.count ?? Infinity;
  }

  /** A reading of the fleet as a record; undefined when it is held back. What it lets go of becomes ready behind it. */
  #takeReading(): SimulatedRecord | undefined {
    const { lateShare, malformedShare, outOfOrderShare, duplicateShare } = this.#options;
    const sensor = this.#fleet.nextSensor;
    const late = this.#draw(lateShare);
    const reading = this.#fleet.take(late ? this.#lateness() : 0);
    this.#made += 1;
    if (this.#draw(malformedShare)) return this.#spoil(reading);
    const record: SimulatedRecord = {
      kind: late ? 'late' : 'regular',
      key: reading.fields.sensorId,
      value: encodeEnvelope(reading.fields),
      aspect: reading.fields.aspect,
    };
    // Only a newer reading overtakes; a late one is older than what is held.
    const overtaking = !late && this.#release(this.#overtaken, sensor);
    this.#release(this.#duplicates, sensor);
    // While one is held none is drawn, so that the share comes out as asked for the others are drawn more often.
    const outOfOrder = this.#draw(outOfOrderShare / Math.max(1e-9, 1 - MEAN_HOLD_READINGS * outOfOrderShare));
    if (outOfOrder && !late && !overtaking && !this.#overtaken.has(sensor) && this.#overtaken.size < MOST_HELD) {
      this.#hold(this.#overtaken, sensor, { ...record, kind: 'out-of-order' });
      return undefined;
    }
    if (this.#draw(duplicateShare) && this.#made < this.#count) {
      this.#made += 1;
      const copy: SimulatedRecord = { ...record, kind: 'duplicate' };
      if (this.#duplicates.has(sensor) || this.#duplicates.size >= MOST_HELD) this.#ready.push(copy);
      else this.#hold(this.#duplicates, sensor, copy);
    }
    return record;
  }

  /** Counts a reading of the sensor against what is held of it. @returns whether that was let go. */
  #release(from: Map<number, Held>, sensor: number): boolean {
    const held = from.get(sensor);
    if (held === undefined) return false;
    held.readingsLeft -= 1;
    held.overtaken = true;
    if (held.readingsLeft > 0) return false;
    from.delete(sensor);
    this.#ready.push(held.record);
    return true;
  }

  #takeHeld(): SimulatedRecord | undefined {
    for (const [sensor, { record, overtaken }] of this.#overtaken) {
      this.#overtaken.delete(sensor);
      return overtaken ? record : { ...record, kind: 'regular' };
    }
    for (const [sensor, { record }] of this.#duplicates) {
      this.#duplicates.delete(sensor);
      return record;
    }
    return undefined;
  }

  #hold(where: Map<number, Held>, sensor: number, record: SimulatedRecord): void {
    const readingsLeft = 1 + Math.floor(this.#faults.next(0) * LONGEST_HOLD_READINGS);
    where.set(sensor, { record, readingsLeft, overtaken: false });
  }

  #spoil({ fields }: FleetReading): SimulatedRecord {
    const { code, value } = makeMalformed(
      fields,
      this.#options.maxEnvelopeBytes,
      this.#faults.next(0),
      this.#faults.next(0),
    );
    return { kind: 'malformed', key: fields.sensorId, value, aspect: fields.aspect, code };
  }

  /** Spread evenly over the logarithm: many by hours, some by days. */
  #lateness(): number {
    return SHORTEST_LATENESS_MS * (LONGEST_LATENESS_MS / SHORTEST_LATENESS_MS) ** this.#faults.next(0);
  }

  #draw(share: number): boolean {
    return share > 0 && this.#faults.next(0) < share;
  }
}
