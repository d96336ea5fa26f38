import type { EnvelopeFields } from '../../../grid/envelope.ts';
import type { TemporalAspect } from '../../../grid/reading.ts';
import { CorrelationIds } from './correlation-id.ts';
import { DueHeap } from './due-heap.ts';
import { profileIndex, PROFILES } from './profiles.ts';
import { RandomStreams } from './random.ts';

/** What decides the readings of a fleet: the same options give the very same readings. */
export interface FleetOptions {
  readonly sensors: number;
  /** Sensor ids count up from here, so several processes can share a fleet: each sensor is the same in any of them. */
  readonly firstSensorId: number;
  readonly seed: number;
  /** Mean sample rate of a sensor, Hz; their own rates lie between 0.46 and 1.85 times that. */
  readonly rateHz: number;
  /** Event time of the fleet's start, epoch milliseconds. */
  readonly startMs: number;
  /** Share of the readings that are predictions. */
  readonly predictionShare: number;
  /** How far ahead a prediction looks. */
  readonly predictionHorizonSeconds: number;
}

/** A reading of the fleet, ready for the envelope. */
export interface FleetReading {
  readonly sensor: number;
  readonly fields: EnvelopeFields;
}

/** A sensor's rate is the mean times a number from this range, evenly spread over its logarithm. */
const RATE_SPREAD: readonly [number, number] = [0.5, 2];
/** The mean of that distribution, by which rates are divided so that the fleet's mean is what was asked for. */
const RATE_SPREAD_MEAN = (RATE_SPREAD[1] - RATE_SPREAD[0]) / Math.log(RATE_SPREAD[1] / RATE_SPREAD[0]);
/** At most this share of its period is a sensor late; less than a whole one, so its readings keep their order. */
const MOST_JITTER = 0.4;

/**
 * Any number of sensors and their schedule: about 75 bytes a sensor in typed arrays, one heap instead of a timer each.
 * Readings come in the order of their event times. A sensor's readings depend on the seed and its id alone.
 */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #random: RandomStreams;
  readonly #ids: CorrelationIds;
  readonly #schedule: DueHeap;
  /** All times in microseconds since the epoch: whole numbers that a double holds exactly until the year 2255. */
  readonly #startUs: number;
  readonly #periodUs: Float64Array;
  readonly #phase: Float32Array;
  readonly #jitter: Float32Array;
  readonly #taken: Float64Array;
  readonly #profile: Uint8Array;
  readonly #scale: Float64Array;
  readonly #noise: Float32Array;

  constructor(options: FleetOptions) {
    const { sensors, seed, firstSensorId, rateHz, startMs } = options;
    this.#options = options;
    this.#startUs = Math.round(startMs * 1_000);
    this.#random = new RandomStreams(sensors, seed, firstSensorId);
    this.#ids = new CorrelationIds({
      seed,
      startMs,
      rateHz,
      predictionShare: options.predictionShare,
      predictionHorizonSeconds: options.predictionHorizonSeconds,
    });
    this.#periodUs = new Float64Array(sensors);
    this.#phase = new Float32Array(sensors);
    this.#jitter = new Float32Array(sensors);
    this.#taken = new Float64Array(sensors);
    this.#profile = new Uint8Array(sensors);
    this.#scale = new Float64Array(sensors);
    this.#noise = new Float32Array(sensors);
    const due = new Float64Array(sensors);
    for (let sensor = 0; sensor < sensors; sensor += 1) {
      const random = this.#random;
      const [slowest, fastest] = RATE_SPREAD;
      const factor = (slowest * (fastest / slowest) ** random.next(sensor)) / RATE_SPREAD_MEAN;
      this.#periodUs[sensor] = 1_000_000 / (rateHz * factor);
      this.#phase[sensor] = random.next(sensor);
      this.#jitter[sensor] = random.next(sensor) * MOST_JITTER;
      const profile = profileIndex(random.next(sensor));
      this.#profile[sensor] = profile;
      this.#scale[sensor] = PROFILES[profile]?.scale(random.next(sensor)) ?? 1;
      this.#noise[sensor] = random.nextNoise(sensor);
      due[sensor] = this.#firstDueUs(sensor);
    }
    this.#schedule = new DueHeap(due);
  }

  /** Event time of the next reading, epoch milliseconds; `Infinity` for a fleet without sensors. */
  get nextDueMs(): number {
    return this.#schedule.firstDue / 1_000;
  }

  /** The sensor that is due next. */
  get nextSensor(): number {
    return this.#schedule.first;
  }

  /** Sensor id as it stands in envelopes. */
  sensorId(sensor: number): string {
    return String(this.#options.firstSensorId + sensor);
  }

  /**
   * Takes the next reading of the fleet.
   *
   * @param ageMs how long ago it was measured: a late one shows the value of that time.
   */
  take(ageMs = 0): FleetReading {
    const sensor = this.#schedule.first;
    const dueUs = Math.round(this.#schedule.firstDue);
    const n = this.#taken[sensor] ?? 0;
    const profile = PROFILES[this.#profile[sensor] ?? 0] ?? PROFILES[0];
    if (profile === undefined) throw new RangeError('a fleet needs at least one profile');
    const eventUs = dueUs - Math.round(ageMs * 1_000);

    const noise = this.#nextNoise(sensor, profile.noiseMemorySeconds);
    const aspect: TemporalAspect =
      this.#random.next(sensor) < this.#options.predictionShare ? 'edge_prediction' : 'real_time';
    const value =
      aspect === 'real_time'
        ? profile.value(eventUs / 1_000_000, this.#scale[sensor] ?? 1, noise)
        : this.#predict(sensor, profile, eventUs / 1_000_000, noise);

    this.#taken[sensor] = n + 1;
    this.#schedule.reschedule(this.#dueUs(sensor, n + 1));
    return {
      sensor,
      fields: {
        sensorId: this.sensorId(sensor),
        modality: decimalText(value, profile.decimals),
        unit: profile.unit,
        aspect,
        correlationId: this.#ids.id(this.#options.firstSensorId + sensor, n, aspect),
        createdAt: epochSecondsText(eventUs),
      },
    };
  }

  /**
   * The fleet comes upon the start in full swing: where the sample before the first would be late enough to fall behind the start, it is the
   * first. Without those the fleet would be slower until the longest jitter is over.
   */
  #firstDueUs(sensor: number): number {
    const phase = this.#phase[sensor] ?? 0;
    this.#phase[sensor] = phase - 1;
    const before = this.#dueUs(sensor, 0);
    if (before >= this.#startUs) return before;
    this.#phase[sensor] = phase;
    return this.#dueUs(sensor, 0);
  }

  /** The n-th sample stands at its place in the grid of its sensor, late by a jitter of its own; so errors do not add up. */
  #dueUs(sensor: number, n: number): number {
    const jitter = (this.#jitter[sensor] ?? 0) * this.#random.next(sensor);
    return this.#startUs + Math.round(((this.#phase[sensor] ?? 0) + n + jitter) * (this.#periodUs[sensor] ?? 1));
  }

  /** An Ornstein–Uhlenbeck process, exactly stepped (Gillespie, Phys. Rev. E 54, 1996): noise that remembers. */
  #nextNoise(sensor: number, memorySeconds: number): number {
    const kept = Math.exp(-(this.#periodUs[sensor] ?? 0) / 1_000_000 / memorySeconds);
    const noise = (this.#noise[sensor] ?? 0) * kept + Math.sqrt(1 - kept * kept) * this.#random.nextNoise(sensor);
    this.#noise[sensor] = noise;
    return noise;
  }

  /** The process' expectation at the horizon: what is known of the noise fades, the shape of the profile remains. */
  #predict(sensor: number, profile: (typeof PROFILES)[number], timeSeconds: number, noise: number): number {
    const horizon = this.#options.predictionHorizonSeconds;
    const expected = noise * Math.exp(-horizon / profile.noiseMemorySeconds);
    return profile.value(timeSeconds + horizon, this.#scale[sensor] ?? 1, expected);
  }
}

const POWERS = [1, 10, 100, 1_000, 10_000] as const;

/** A value with at most so many decimals, never in exponent notation. */
function decimalText(value: number, decimals: number): string {
  const power = POWERS[decimals] ?? 1;
  const rounded = Math.round(value * power) / power;
  return rounded === 0 ? '0' : String(rounded);
}

/** `1694902173.122458`, from whole microseconds. */
function epochSecondsText(us: number): string {
  const seconds = Math.floor(us / 1_000_000);
  return `${seconds}.${String(us - seconds * 1_000_000).padStart(6, '0')}`;
}
