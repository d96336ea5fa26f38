// @ts-check
import { authorization } from './api.js';
import { EventStreamParser } from './event-stream-parser.js';

/**
 * @typedef {'connecting' | 'live' | 'away'} LiveState
 *
 * @typedef {object} Reading
 * @property {string} sensorId
 * @property {'real_time' | 'edge_prediction'} aspect
 * @property {string} unit
 * @property {string} value
 * @property {string} at
 * @property {string} receivedAt
 * @property {string} correlationId
 * @property {string} topic
 * @property {number} partition
 * @property {number} offset
 *
 * @typedef {object} LiveListener
 * @property {(reading: Reading) => void} [onReading]
 * @property {(window: { sensor_id: string, aspect: string, unit: string, resolution: string, window_start: string, state: string }) => void} [onWindow]
 * @property {(change: { alarm_id: number, sensor_id: string, change: string }) => void} [onAlarm]
 * @property {() => void} [onReset] something was missed: ask for the whole anew
 */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** The server says something every 15 s. */
const SILENCE_MS = 25_000;

/**
 * The stream of events, for whatever page is shown. It is read by `fetch`, since EventSource can send no token but in the address, and gives up where a
 * server is away for a while.
 */
export class Live {
  /** @type {AbortController | undefined} */
  #connection;
  #lastId = '';
  #query = '';
  /** @type {LiveListener} */
  #listener = {};
  /** @type {(state: LiveState, retryAtMs: number | undefined) => void} */
  #onState;

  /** @param {(state: LiveState, retryAtMs: number | undefined) => void} onState */
  constructor(onState) {
    this.#onState = onState;
    addEventListener('online', () => {
      this.listen(this.#listener, this.#query);
    });
  }

  /**
   * @param {LiveListener} listener
   * @param {string} query of /api/events
   */
  listen(listener, query) {
    this.#connection?.abort();
    this.#connection = new AbortController();
    if (query !== this.#query) this.#lastId = '';
    this.#query = query;
    this.#listener = listener;
    void this.#run(this.#connection.signal);
  }

  /** Tells nothing but whether the server is there: of a sensor that has no name, nothing comes. */
  idle() {
    this.listen({}, `?kinds=window&sensors=${encodeURIComponent('(none)')}`);
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    let waitMs = FIRST_WAIT_MS;
    while (!signal.aborted) {
      this.#onState('connecting', undefined);
      try {
        await this.#read(signal, () => {
          waitMs = FIRST_WAIT_MS;
          this.#onState('live', undefined);
        });
      } catch {
        // Whatever it was, it is tried again.
      }
      if (signal.aborted) return;
      const thisWaitMs = waitMs * (0.75 + Math.random() / 2);
      this.#onState('away', Date.now() + thisWaitMs);
      await pause(thisWaitMs, signal);
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
    }
  }

  /**
   * @param {AbortSignal} signal
   * @param {() => void} onOpen
   */
  async #read(signal, onOpen) {
    const silence = new AbortController();
    let timer = setTimeout(() => {
      silence.abort();
    }, SILENCE_MS);
    try {
      const response = await fetch(`/api/events${this.#query}`, {
        headers: { ...authorization(), ...(this.#lastId === '' ? {} : { 'last-event-id': this.#lastId }) },
        signal: AbortSignal.any([signal, silence.signal]),
        cache: 'no-store',
      });
      if (!response.ok || response.body === null) throw new Error(String(response.status));
      onOpen();
      const parser = new EventStreamParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => {
          silence.abort();
        }, SILENCE_MS);
        for (const event of parser.take(value)) this.#tell(event);
        if (parser.lastId !== '') this.#lastId = parser.lastId;
      }
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }

  /** @param {import('./event-stream-parser.js').StreamEvent} event */
  #tell({ kind, data }) {
    try {
      if (kind === 'reading') this.#listener.onReading?.(JSON.parse(data));
      else if (kind === 'window') this.#listener.onWindow?.(JSON.parse(data));
      else if (kind === 'alarm') this.#listener.onAlarm?.(JSON.parse(data));
      else if (kind === 'reset') this.#listener.onReset?.();
    } catch (error) {
      // A mistake of the page, which must not look like one of the connection.
      reportError(error);
    }
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 */
function pause(ms, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    signal.addEventListener('abort', resolve, { once: true });
  });
}
