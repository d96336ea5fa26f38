import type { TelemetryFacts } from '../../../../grid/legacy/telemetry-facts.ts';

/** Of so many sensors the state is kept; of further ones only readings are counted. */
const MOST_SENSORS = 20_000;
const MOST_STEPS = 1_000;
const STUCK_AFTER = 10;
const OUTLIER_DEVIATIONS = 8;
/** Before so many readings nothing is an outlier. */
const LEAST_READINGS = 30;

interface SensorState {
  lastMs: number;
  lastValue: number;
  repeats: number;
  count: number;
  mean: number;
  squares: number;
}

/** How good readings are, told as they pass. */
export class Quality {
  readonly #states = new Map<string, SensorState>();
  readonly #steps = new Map<number, number>();
  #duplicates = 0;
  #nonMonotonic = 0;
  #stuck = 0;
  #outliers = 0;
  missing = 0;
  firstMs: number | undefined;
  lastMs: number | undefined;

  get sensors(): number {
    return this.#states.size;
  }

  /** The most frequent time between readings of a sensor, seconds. */
  get stepSeconds(): number | undefined {
    const [most] = [...this.#steps].sort(([, one], [, other]) => other - one);
    return most === undefined ? undefined : most[0] / 1_000;
  }

  take(sensor: string, ms: number, value: number): void {
    this.firstMs = Math.min(this.firstMs ?? ms, ms);
    this.lastMs = Math.max(this.lastMs ?? ms, ms);
    const state = this.#states.get(sensor);
    if (state === undefined) {
      if (this.#states.size < MOST_SENSORS) {
        this.#states.set(sensor, { lastMs: ms, lastValue: value, repeats: 1, count: 1, mean: value, squares: 0 });
      }
      return;
    }
    const step = ms - state.lastMs;
    if (step === 0) this.#duplicates++;
    else if (step < 0) this.#nonMonotonic++;
    else if (this.#steps.size < MOST_STEPS || this.#steps.has(step))
      this.#steps.set(step, (this.#steps.get(step) ?? 0) + 1);
    state.repeats = value === state.lastValue ? state.repeats + 1 : 1;
    // Night after night a solar plant yields 0, and nothing is wrong with it.
    if (state.repeats > STUCK_AFTER && value !== 0) this.#stuck++;
    const deviation = Math.sqrt(state.squares / Math.max(1, state.count - 1));
    const isOutlier =
      state.count >= LEAST_READINGS && deviation > 0 && Math.abs(value - state.mean) > OUTLIER_DEVIATIONS * deviation;
    if (isOutlier) this.#outliers++;
    else {
      // Welford's sums; what is far outside does not move them.
      state.count++;
      const from = value - state.mean;
      state.mean += from / state.count;
      state.squares += from * (value - state.mean);
    }
    if (step >= 0) state.lastMs = ms;
    state.lastValue = value;
  }

  counts(): TelemetryFacts['quality'] {
    const usual = (this.stepSeconds ?? Infinity) * 1_000;
    let gaps = 0;
    for (const [step, count] of this.#steps) if (step > usual * 1.5) gaps += count;
    return {
      gaps,
      duplicates: this.#duplicates,
      nonMonotonic: this.#nonMonotonic,
      stuck: this.#stuck,
      outliers: this.#outliers,
      missing: this.missing,
    };
  }
}
