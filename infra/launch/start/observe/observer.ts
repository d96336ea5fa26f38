import { MongodbConnection } from '../../../../connectors/mongodb/connection.ts';
import { RedisConnection } from '../../../../connectors/redis/connection.ts';
import type { Reading } from '../../../../grid/reading.ts';
import { SINKS, type SinkName } from '../../../../grid/sinks.ts';
import type { Config } from '../../../../runtime/config.ts';
import { createLogger } from '../../../../runtime/logger.ts';
import type { WorkerName, WorkerSet } from '../workers/worker-set.ts';
import type { WorkerState } from '../workers/supervised-worker.ts';
import { readHdfsUsage, type HdfsUsage } from './hdfs-usage.ts';
import { KafkaWatch, type KafkaProgress } from './kafka-progress.ts';
import { readNewest } from './newest-readings.ts';
import { Poll, type Observed } from './poll.ts';
import { ProblemFilter, withoutRepetitions } from './problem-filter.ts';
import { sumOf, type Sample } from './prometheus-text.ts';
import { Rate } from './rate.ts';
import { readWorkerPage, type WorkerPage } from './worker-page.ts';

/** How everything stands at one moment. What is not known yet, or cannot be asked now, is undefined. */
export interface Snapshot {
  readonly uptimeMs: number;
  /** Records that the readings' topic has ever taken. */
  readonly readings: number | undefined;
  readonly readingsPerSecond: number | undefined;
  readonly sources: readonly { readonly name: string; readonly perSecond: number }[];
  readonly sinks: readonly SinkSnapshot[];
  readonly hdfs: HdfsUsage | undefined;
  readonly documents: number | undefined;
  readonly newest: readonly Reading[];
  readonly workers: readonly { readonly name: WorkerName; readonly state: WorkerState; readonly restarts: number }[];
  /** Readings that no sink can read, set aside since the workers started. */
  readonly setAside: number;
  /** Times that a sink had to try again since the workers started. */
  readonly retries: number;
  /** What is wrong, in sentences. */
  readonly problems: readonly string[];
}

export interface SinkSnapshot {
  readonly name: SinkName;
  readonly perSecond: number | undefined;
  /** Records that are in Kafka and not yet committed to the sink's store. */
  readonly waiting: number | undefined;
}

/** What lies in the stores in the end. */
export interface FinalCount {
  readonly readings: number | undefined;
  readonly hdfs: HdfsUsage | undefined;
  readonly documents: number | undefined;
  readonly waiting: KafkaProgress['waiting'];
}

const FAST_MS = 1_000;
const MIDDLE_MS = 2_000;
const SLOW_MS = 3_000;
const RATE_WINDOW_MS = 6_000;
const LASTING_MS = 5_000;
const NEWEST_COUNT = 5;

/** Watches workers and stores for the view; cheaply, and never in their way. */
export class Observer {
  readonly #config: Config;
  readonly #workers: WorkerSet;
  /** Records that a sink had read when it was asked last whether it has caught up. */
  readonly #readBefore = new Map<SinkName, number>();
  #startedMs = Date.now();
  readonly #redis: RedisConnection;
  readonly #mongodb: MongodbConnection;
  readonly #kafkaWatch: KafkaWatch;
  readonly #kafka: Poll<KafkaProgress>;
  readonly #hdfs: Poll<HdfsUsage>;
  readonly #documents: Poll<number>;
  readonly #newest: Poll<Reading[]>;
  readonly #pages: ReadonlyMap<WorkerName, Poll<WorkerPage>>;
  readonly #problems = new ProblemFilter(LASTING_MS);
  readonly #rates = new Map<string, Rate>();

  constructor(config: Config, workers: WorkerSet, preferredSensorIds: readonly string[]) {
    this.#config = config;
    this.#workers = workers;
    const logger = createLogger({ name: 'start', level: 'silent', format: 'json' });
    this.#redis = new RedisConnection({ url: config.REDIS_URL, logger, clientName: 'powergrid-start' });
    this.#mongodb = new MongodbConnection({
      url: config.MONGODB_URL,
      database: config.MONGODB_DATABASE,
      logger,
      applicationName: 'powergrid-start',
    });
    this.#kafkaWatch = new KafkaWatch({
      brokers: config.KAFKA_BROKERS,
      readingsTopic: config.TOPIC_INGESTION,
      sinks: config.SPEED_SINKS.map((name) => ({
        name,
        topic: SINKS[name].reads === 'text' ? config.TOPIC_UNORGANIZED : config.TOPIC_INGESTION,
        groupId: `${config.CONSUMER_GROUP_PREFIX}.${name}`,
      })),
      logger,
    });
    const limits = {
      maxBytes: config.ENVELOPE_MAX_BYTES,
      maxAheadMs: config.EVENT_TIME_MAX_AHEAD_SECONDS * 1_000,
      stored: true,
    };
    const topicDirectory = `${config.HDFS_TOPICS_DIRECTORY}/${config.TOPIC_INGESTION}`;
    this.#kafka = new Poll(MIDDLE_MS, () => this.#askKafka());
    this.#hdfs = new Poll(SLOW_MS, () => readHdfsUsage(config.WEBHDFS_URL, config.HDFS_USER, topicDirectory));
    this.#documents = new Poll(SLOW_MS, () => this.#mongodb.estimatedCount(config.TOPIC_INGESTION));
    this.#newest = new Poll(FAST_MS, async () => {
      await this.#redis.whenReady();
      return readNewest(this.#redis, preferredSensorIds, NEWEST_COUNT, limits);
    });
    this.#pages = new Map(
      workers.all.map(([name, worker]) => [
        name,
        new Poll(MIDDLE_MS, () => this.#askWorker(name, worker.spec.operationsUrl)),
      ]),
    );
  }

  start(): void {
    this.#startedMs = Date.now();
    for (const poll of this.#polls()) poll.start();
  }

  snapshot(): Snapshot {
    const samples = [...this.#pages.values()].flatMap((page) => page.observed.value?.samples ?? []);
    const kafka = this.#kafka.observed.value;
    return {
      uptimeMs: Date.now() - this.#startedMs,
      readings: kafka?.readings,
      readingsPerSecond: this.#rates.get('kafka')?.perSecond,
      sources: [...this.#rates].flatMap(([key, rate]) =>
        key.startsWith('source ') ? [{ name: key.slice('source '.length), perSecond: rate.perSecond ?? 0 }] : [],
      ),
      sinks: this.#config.SPEED_SINKS.map((name) => ({
        name,
        perSecond: this.#rates.get(`sink ${name}`)?.perSecond,
        waiting: kafka?.waiting[name],
      })),
      hdfs: this.#hdfs.observed.value,
      documents: this.#documents.observed.value,
      newest: this.#newest.observed.value ?? [],
      workers: this.#workers.all.map(([name, { state, restarts }]) => ({ name, state, restarts })),
      setAside: sumOf(samples, 'powergrid_router_dead_letters_total') ?? 0,
      retries: sumOf(samples, 'powergrid_consumer_failures_total') ?? 0,
      problems: withoutRepetitions([
        ...this.#workerProblems(),
        ...this.#problems.lasting(this.#passingProblems(), Date.now()),
      ]),
    };
  }

  /**
   * Whether the sinks have taken all that is in Kafka; to be asked when nothing is sent any more, again and again until it is
   * true. The sinks that collect files have then read all, and commit it when they stop.
   */
  async hasCaughtUp(): Promise<boolean> {
    const page = this.#pages.get('speed');
    if (page === undefined) return true;
    const [{ value: kafka, failure }, { value: worker }] = await Promise.all([this.#kafka.once(), page.once()]);
    if (kafka === undefined || failure !== undefined || worker === undefined) return false;
    const { samples } = worker;
    return this.#config.SPEED_SINKS.every((sink) => {
      if (!SINKS[sink].collects) return kafka.waiting[sink] === 0;
      const read = sumOf(samples, 'powergrid_consumer_records_total', { sink }) ?? 0;
      const isStill = this.#readBefore.get(sink) === read;
      this.#readBefore.set(sink, read);
      const notReading = ['opening', 'waiting', 'stalled'].some(
        (state) => (sumOf(samples, 'powergrid_consumer_partitions', { sink, state }) ?? 0) > 0,
      );
      return isStill && !notReading && (sumOf(samples, 'powergrid_consumer_lag_records', { sink }) ?? 0) === 0;
    });
  }

  /** Watches no more, asks the stores once more, and lets go of them. */
  async finish(): Promise<FinalCount> {
    await Promise.all([...this.#polls()].map((poll) => poll.stop()));
    const known = <T>({ value, failure }: Observed<T>): T | undefined => (failure === undefined ? value : undefined);
    const [kafka, hdfs, documents] = await Promise.all([this.#kafka.once(), this.#hdfs.once(), this.#documents.once()]);
    await Promise.all([this.#redis.close(), this.#mongodb.close(), this.#kafkaWatch.close()]);
    return {
      readings: known(kafka)?.readings,
      hdfs: known(hdfs),
      documents: known(documents),
      waiting: known(kafka)?.waiting ?? {},
    };
  }

  *#polls(): Generator<Poll<unknown>> {
    yield* [this.#kafka, this.#hdfs, this.#documents, this.#newest, ...this.#pages.values()];
  }

  async #askKafka(): Promise<KafkaProgress> {
    const progress = await this.#kafkaWatch.ask();
    this.#count('kafka', progress.readings);
    return progress;
  }

  async #askWorker(name: WorkerName, operationsUrl: string): Promise<WorkerPage> {
    const page = await readWorkerPage(operationsUrl);
    if (name === 'speed') {
      for (const sink of this.#config.SPEED_SINKS) {
        this.#count(`sink ${sink}`, sumOf(page.samples, 'powergrid_consumer_records_total', { sink }) ?? 0);
      }
    } else if (name === 'simulator') {
      for (const source of sourceNames(page.samples)) {
        const total = sumOf(page.samples, 'powergrid_source_records_total', { source, kind: 'total' }) ?? 0;
        this.#count(`source ${source}`, total);
      }
    } else if (name === 'ingest') {
      const accepted = sumOf(page.samples, 'powergrid_ingest_records_total', { result: 'accepted' }) ?? 0;
      this.#count('source gateway', accepted);
    }
    return page;
  }

  #count(key: string, count: number): void {
    let rate = this.#rates.get(key);
    if (rate === undefined) this.#rates.set(key, (rate = new Rate(RATE_WINDOW_MS)));
    rate.add(count, performance.now());
  }

  #workerProblems(): string[] {
    return this.#workers.all.flatMap(([name, { state, restarts }]) => {
      if (state.kind === 'waiting') {
        const seconds = Math.max(0, Math.ceil((state.untilMs - Date.now()) / 1_000));
        const { cause, words } = state.death;
        return [`the ${name} worker ended (${cause}) and is started again in ${seconds} s. ${words}`];
      }
      return state.kind === 'starting' && restarts > 0 ? [`the ${name} worker is starting`] : [];
    });
  }

  #passingProblems(): string[] {
    const stores: [string, Observed<unknown>][] = [
      ['Kafka', this.#kafka.observed],
      ['HDFS', this.#hdfs.observed],
      ['MongoDB', this.#documents.observed],
      ['Redis', this.#newest.observed],
    ];
    const told = [...this.#pages].flatMap(([name, page]) => {
      const isRunning = this.#workers.all.some(([other, { state }]) => other === name && state.kind === 'running');
      if (!isRunning) return [];
      const { value, failure } = page.observed;
      if (failure !== undefined) return [`the ${name} worker does not answer: ${firstLine(failure)}`];
      // Stores that were not brought up are missing on its pages, which say so.
      return name === 'serving' ? [] : (value?.problems ?? []);
    });
    const asked = stores.flatMap(([title, { failure }]) =>
      failure === undefined
        ? []
        : [`${title} cannot be asked (\`npm run stack -- up ${title.toLowerCase()}\` mends it): ${firstLine(failure)}`],
    );
    return [...asked, ...told.map(firstLine)];
  }
}

function sourceNames(samples: readonly Sample[]): string[] {
  return [
    ...new Set(
      samples.flatMap(({ name, labels }) =>
        name === 'powergrid_source_records_total' ? (labels['source'] ?? []) : [],
      ),
    ),
  ];
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
