import type { WindowDelta } from '../../../connectors/postgres/serving/speed-view.ts';
import { Accumulator } from '../../../grid/aggregate/accumulator.ts';
import { EMPTY, merged, type Aggregate } from '../../../grid/aggregate/aggregate.ts';
import { windowLengthMs, windowStartMs, type Resolution } from '../../../grid/aggregate/window.ts';
import { windowUnit } from '../../../grid/aggregate/window-unit.ts';
import type { Reading, TemporalAspect } from '../../../grid/reading.ts';

/** Windows of the finest resolution that are held at most, and bytes of readings that are longer than usual. */
const MOST_WINDOWS = 2_000;
const MOST_LONG_BYTES = 4 << 20;
const USUAL_BYTES = 1_024;

/** The windows of one sensor, aspect and unit. */
interface Series {
  readonly sensorId: string;
  readonly aspect: TemporalAspect;
  readonly unit: string;
  readonly windows: Map<number, Accumulator>;
  /** The window of the last reading; the next one is mostly in it too. */
  startMs: number;
  window: Accumulator;
}

/**
 * Folds readings to what they add to each window, so that the database sees a window once, however many readings it gets. A reading is added to
 * one window only, the finest; the longer ones are made of those.
 */
export class WindowFold {
  /** From the finest to the longest. */
  readonly #resolutions: readonly Resolution[];
  readonly #finest: Resolution;
  readonly #series = new Map<string, Series>();
  #windows = 0;
  #longBytes = 0;

  /** @param resolutions at least one */
  constructor(resolutions: readonly Resolution[]) {
    this.#resolutions = [...resolutions].sort((one, other) => windowLengthMs(one) - windowLengthMs(other));
    const [finest] = this.#resolutions;
    if (finest === undefined) throw new RangeError('windows have at least one resolution');
    this.#finest = finest;
  }

  /** Whether it holds so much that it is to be drained. */
  get isFull(): boolean {
    return this.#windows >= MOST_WINDOWS || this.#longBytes >= MOST_LONG_BYTES;
  }

  /** @param bytes of its envelope, which the reading may keep in memory */
  add(reading: Reading, bytes: number): void {
    const unit = windowUnit(reading.unit);
    // No sensor id has a control character.
    const key = `${reading.sensorId}\0${reading.aspect}\0${unit}`;
    const startMs = windowStartMs(reading.eventTimeMs, this.#finest);
    let series = this.#series.get(key);
    if (series === undefined) {
      const window = new Accumulator();
      const { sensorId, aspect } = reading;
      series = { sensorId, aspect, unit, windows: new Map([[startMs, window]]), startMs, window };
      this.#series.set(key, series);
      this.#windows++;
    } else if (series.startMs !== startMs) {
      let window = series.windows.get(startMs);
      if (window === undefined) {
        window = new Accumulator();
        series.windows.set(startMs, window);
        this.#windows++;
      }
      series.startMs = startMs;
      series.window = window;
    }
    if (series.window.add(reading) && bytes > USUAL_BYTES) this.#longBytes += bytes;
  }

  /**
   * What the readings add to windows, each window once.
   *
   * @param watermarkMs windows that end up to it had been final
   */
  deltas(watermarkMs: number | undefined): WindowDelta[] {
    const deltas: WindowDelta[] = [];
    for (const { sensorId, aspect, unit, windows } of this.#series.values()) {
      let finer = new Map<number, Aggregate>();
      for (const [startMs, window] of windows) finer.set(startMs, window.aggregate());
      for (const resolution of this.#resolutions) {
        if (resolution !== this.#finest) finer = regrouped(finer, resolution);
        const lengthMs = windowLengthMs(resolution);
        for (const [startMs, aggregate] of finer) {
          const isLate = watermarkMs !== undefined && startMs + lengthMs <= watermarkMs;
          deltas.push({ sensorId, aspect, unit, resolution, startMs, aggregate, isLate });
        }
      }
    }
    return deltas;
  }
}

/** Windows of a longer resolution, which begin where shorter ones do. */
function regrouped(windows: ReadonlyMap<number, Aggregate>, resolution: Resolution): Map<number, Aggregate> {
  const longer = new Map<number, Aggregate>();
  for (const [startMs, aggregate] of windows) {
    const longerStartMs = windowStartMs(startMs, resolution);
    longer.set(longerStartMs, merged(longer.get(longerStartMs) ?? EMPTY, aggregate));
  }
  return longer;
}
