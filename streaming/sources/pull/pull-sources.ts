import { LRUCache } from 'lru-cache';
import type { RecordProducer } from '../../../connectors/kafka/produce/record-producer.ts';
import { decodeEnvelope, type DecodeLimits } from '../../../grid/envelope.ts';
import { asGridError, type GridError } from '../../../grid/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { Counter, Gauge, Histogram, type Registry } from '../../../runtime/metrics.ts';
import { sendPatiently } from '../pacing/patient-send.ts';
import { pause } from '../../../runtime/waiting/pause.ts';
import type { PullSourceConfig } from './pull-file.ts';
import { mapReply } from './pull-mapping.ts';
import { poll } from './rest-poll.ts';

export interface PullSourcesOptions {
  readonly sources: readonly PullSourceConfig[];
  readonly producer: RecordProducer;
  readonly topic: string;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly limits: DecodeLimits;
}

export interface PullSources {
  /** Ends polling; what was read is written first. */
  stop(): Promise<void>;
}

interface PullMetrics {
  readonly polls: Counter<'source' | 'result'>;
  readonly readings: Counter<'source' | 'result'>;
  readonly seconds: Histogram<'source'>;
  readonly up: Gauge<'source'>;
}

/** Observations remembered per source, so that one that is still in the next reply is not written again. */
const MAX_REMEMBERED = 100_000;
/** Roughly what a reading takes while it waits to be written. */
const READING_BYTES = 400;
const FIRST_POLL_SPREAD_MS = 1_000;

/** Polls every source on its own schedule until told to stop; none waits for another. */
export function startPullSources(options: PullSourcesOptions): PullSources {
  const abort = new AbortController();
  const metrics = createPullMetrics(options.metrics);
  const running = options.sources.map((config) => new PullSource(config, options, metrics).run(abort.signal));
  if (running.length > 0) options.logger.info({ sources: options.sources.map(({ name }) => name) }, 'polling sources');
  return {
    stop: async () => {
      abort.abort();
      await Promise.all(running);
    },
  };
}

/**
 * One polled source. It is `up` or `down` (its last poll, with all its tries, failed); each change is one line in the log.
 */
class PullSource {
  readonly #config: PullSourceConfig;
  readonly #options: PullSourcesOptions;
  readonly #metrics: PullMetrics;
  readonly #logger: Logger;
  readonly #remembered = new LRUCache<string, true>({ max: MAX_REMEMBERED });
  #downSinceMs: number | undefined;
  #lastProblem: string | undefined;

  constructor(config: PullSourceConfig, options: PullSourcesOptions, metrics: PullMetrics) {
    this.#config = config;
    this.#options = options;
    this.#metrics = metrics;
    this.#logger = options.logger.child({ source: config.name });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { intervalSeconds, jitter } = this.#config;
    const intervalMs = intervalSeconds * 1_000;
    // A clock that nobody sets: polls go on when the time of day is put right.
    let dueMs = performance.now() + Math.random() * Math.min(FIRST_POLL_SPREAD_MS, jitter * intervalMs);
    while (!signal.aborted) {
      const shiftMs = (Math.random() - 0.5) * 2 * jitter * intervalMs;
      if (!(await pause(Math.max(0, dueMs - performance.now()), signal))) return;
      await this.#pollOnce(signal);
      // Slots that went by while a poll took long are left out, not caught up with.
      dueMs = Math.max(dueMs + intervalMs + shiftMs, performance.now());
    }
  }

  async #pollOnce(signal: AbortSignal): Promise<void> {
    const isStopped = () => signal.aborted;
    if (isStopped()) return;
    const source = this.#config.name;
    const stopTimer = this.#metrics.seconds.startTimer({ source });
    try {
      const body = await poll(this.#config, signal);
      await this.#store(body);
      this.#metrics.polls.inc({ source, result: 'ok' });
      this.#becameUp();
    } catch (error) {
      if (isStopped()) return;
      const known = asGridError(error, `Polling ${source}`);
      this.#metrics.polls.inc({ source, result: known.code });
      this.#becameDown(known);
    } finally {
      stopTimer();
    }
  }

  async #store(body: string): Promise<void> {
    const { producer, topic, limits } = this.#options;
    const source = this.#config.name;
    const { readings, problems, unmapped } = mapReply(this.#config, body);
    const receivedAtMs = Date.now();
    const found = [...problems];
    let rejected = unmapped;
    let known = 0;
    const fresh = readings.filter((reading) => {
      if (this.#remembered.has(reading.correlationId)) {
        known++;
        return false;
      }
      const decoded = decodeEnvelope(Buffer.from(reading.envelope), receivedAtMs, limits);
      if (!decoded.ok) {
        rejected++;
        found.push(`${reading.sensorId}: ${decoded.rejection.message}`);
      }
      return decoded.ok;
    });
    if (fresh.length > 0) {
      const records = fresh.map(({ sensorId, envelope }) => ({ key: sensorId, value: envelope }));
      await sendPatiently(producer, topic, records, fresh.length * READING_BYTES);
      for (const { correlationId } of fresh) this.#remembered.set(correlationId, true);
    }
    this.#metrics.readings.inc({ source, result: 'accepted' }, fresh.length);
    this.#metrics.readings.inc({ source, result: 'rejected' }, rejected);
    this.#metrics.readings.inc({ source, result: 'known' }, known);
    this.#tellProblem(found[0], rejected);
  }

  /** A mapping that does not fit says the same at each poll: it is logged when it changes. */
  #tellProblem(first: string | undefined, rejected: number): void {
    if (first !== undefined && first !== this.#lastProblem) {
      this.#logger.warn({ others: rejected - 1 }, `part of what the source answered is no reading: ${first}`);
    }
    this.#lastProblem = first;
  }

  #becameDown(error: GridError): void {
    this.#metrics.up.set({ source: this.#config.name }, 0);
    if (this.#downSinceMs !== undefined) return;
    this.#downSinceMs = Date.now();
    this.#logger.warn({ code: error.code }, error.message);
  }

  #becameUp(): void {
    this.#metrics.up.set({ source: this.#config.name }, 1);
    if (this.#downSinceMs === undefined) return;
    this.#logger.info({ downMs: Date.now() - this.#downSinceMs }, 'the source answers again');
    this.#downSinceMs = undefined;
  }
}

function createPullMetrics(registry: Registry): PullMetrics {
  const registers = [registry];
  return {
    polls: new Counter({
      name: 'powergrid_pull_polls_total',
      help: 'Polls by result: ok, or the code of the failure',
      labelNames: ['source', 'result'],
      registers,
    }),
    readings: new Counter({
      name: 'powergrid_pull_readings_total',
      help: 'Readings in replies: accepted, known from an earlier reply, rejected',
      labelNames: ['source', 'result'],
      registers,
    }),
    seconds: new Histogram({
      name: 'powergrid_pull_poll_seconds',
      help: 'Time of a poll, tries and storing included',
      labelNames: ['source'],
      buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60],
      registers,
    }),
    up: new Gauge({
      name: 'powergrid_pull_source_up',
      help: '1 when the last poll of the source succeeded',
      labelNames: ['source'],
      registers,
    }),
  };
}
