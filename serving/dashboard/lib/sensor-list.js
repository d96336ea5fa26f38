// @ts-check
import { get } from './api.js';
import { cadenceMs, staleness } from './staleness.js';
import { WorkQueue } from './work-queue.js';

/**
 * @typedef {object} Newest
 * @property {string} value
 * @property {string} unit
 * @property {number} atMs event time
 *
 * @typedef {object} Sensor
 * @property {string} sensorId
 * @property {Newest | undefined} measured
 * @property {Newest | undefined} forecast
 * @property {number | undefined} cadence ms
 * @property {readonly (number | undefined)[] | undefined} means of the last hour by minutes; undefined: not asked yet
 * @property {number} meansAtMs
 */

const PAGE = 500;
const MOST = 5_000;
const LANES = 4;
const MINUTE_MS = 60_000;
export const MINUTES = 60;

/** All sensors, with their newest values. */
export class SensorList {
  /** @type {Map<string, Sensor>} */
  sensors = new Map();
  /** @type {readonly string[]} */
  problems = [];
  /** There are more than are shown. */
  isCut = false;
  #queue = new WorkQueue(LANES);
  /** @type {Set<string>} */
  #asked = new Set();

  /** @param {AbortSignal} signal */
  async load(signal) {
    /** @type {string | undefined} */
    let cursor;
    /** @type {Set<string>} */
    const problems = new Set();
    do {
      const answer = await get('/api/sensors', { limit: PAGE, cursor }, signal);
      for (const { sensorId, newest } of answer.sensors) {
        const known = this.sensors.get(sensorId);
        this.sensors.set(sensorId, {
          sensorId,
          measured: newer(known?.measured, newestOf(newest?.real_time)),
          forecast: newer(known?.forecast, newestOf(newest?.edge_prediction)),
          cadence: known?.cadence,
          means: known?.means,
          meansAtMs: known?.meansAtMs ?? 0,
        });
      }
      for (const problem of answer.problems) problems.add(problem);
      cursor = answer.next ?? undefined;
    } while (cursor !== undefined && this.sensors.size < MOST);
    this.isCut = cursor !== undefined;
    this.problems = [...problems];
  }

  /**
   * @param {import('./live.js').Reading} reading
   * @returns {Sensor} whose newest value it may be
   */
  take({ sensorId, aspect, value, unit, at }) {
    let sensor = this.sensors.get(sensorId);
    if (sensor === undefined) {
      sensor = {
        sensorId,
        measured: undefined,
        forecast: undefined,
        cadence: undefined,
        means: undefined,
        meansAtMs: 0,
      };
      this.sensors.set(sensorId, sensor);
    }
    const name = aspect === 'real_time' ? 'measured' : 'forecast';
    const atMs = Date.parse(at);
    if ((sensor[name]?.atMs ?? -Infinity) <= atMs) sensor[name] = { value, unit, atMs };
    return sensor;
  }

  /**
   * Asks for the last hour of a sensor, and learns from it how often it reports.
   *
   * @param {Sensor} sensor
   * @param {AbortSignal} signal
   * @param {() => void} onKnown
   */
  learn(sensor, signal, onKnown) {
    const { sensorId } = sensor;
    if (this.#asked.has(sensorId) || Date.now() - sensor.meansAtMs < MINUTE_MS) return;
    this.#asked.add(sensorId);
    this.#queue.add(async () => {
      try {
        if (signal.aborted) return;
        const answer = await get(
          `/api/sensors/${encodeURIComponent(sensorId)}/series`,
          { resolution: 'minute', from: `now-${MINUTES}m`, unit: sensor.measured?.unit },
          signal,
        );
        const now = this.sensors.get(sensorId) ?? sensor;
        now.meansAtMs = Date.now();
        const from = Math.floor(Date.now() / MINUTE_MS) - MINUTES + 1;
        /** @type {(number | undefined)[]} */
        const means = new Array(MINUTES).fill(undefined);
        const windows = answer.windows.map((/** @type {any} */ { start, count, mean }) => ({
          startMs: Date.parse(start),
          count,
          mean,
        }));
        for (const { startMs, mean } of windows) {
          const place = startMs / MINUTE_MS - from;
          if (place >= 0 && place < MINUTES && mean !== null) means[place] = Number(mean);
        }
        now.means = means;
        now.cadence = cadenceMs(windows.slice(0, -1)) ?? now.cadence;
        onKnown();
      } catch {
        // It is asked for again with the next look at it.
      } finally {
        this.#asked.delete(sensorId);
      }
    });
  }
}

/**
 * @param {Sensor} sensor
 * @param {number} nowMs
 */
export function stateOf({ measured, cadence }, nowMs) {
  return measured === undefined ? 'unknown' : staleness(nowMs - measured.atMs, cadence);
}

/** @param {any} newest */
function newestOf(newest) {
  return newest === undefined ? undefined : { value: newest.value, unit: newest.unit, atMs: Date.parse(newest.at) };
}

/**
 * What came live may be newer than an answer that was under way.
 *
 * @param {Newest | undefined} known
 * @param {Newest | undefined} answered
 */
function newer(known, answered) {
  if (known === undefined || answered === undefined) return known ?? answered;
  return known.atMs > answered.atMs ? known : answered;
}
