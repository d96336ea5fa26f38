import type { LogBounds } from '../../connectors/kafka/read/log-reader.ts';
import { committedOffsets, type CommittedOffsets } from '../../connectors/kafka/topics/group-offsets.ts';
import { countOpenAlarms, type OpenAlarms } from '../../connectors/postgres/serving/alarm-list.ts';
import { asGridError } from '../../grid/errors.ts';
import { SINK_NAMES, SINKS, type SinkName } from '../../grid/sinks.ts';
import type { Config } from '../../runtime/config.ts';
import type { StoreProbes, StoreState } from '../readiness.ts';
import type { CommittedPartition, Stores } from '../stores.ts';
import { ledgerOf, type Ledger } from './ledger.ts';
import { RateMeter } from './rate-meter.ts';

/** How a sink stands. */
export interface SinkState {
  readonly sink: SinkName;
  readonly topic: string;
  /** Records that it has still to read, by what its group has committed; undefined when it never has. */
  readonly lag: number | undefined;
  readonly ratePerSecond: number | undefined;
}

/** How the windows of the speed layer and the batch view stand. */
export interface ViewsState {
  readonly build: { readonly id: string; readonly publishedMs: number } | undefined;
  /** Of the partition that is behind most. */
  readonly watermarkMs: number | undefined;
  /** When the windows of the partition that is behind most were last written. */
  readonly updatedMs: number | undefined;
}

/** How it all stands. What a store that is away would tell is undefined, and why is in `problems`. */
export interface PipelineState {
  readonly atMs: number;
  readonly accepted: { readonly records: number; readonly ratePerSecond: number | undefined } | undefined;
  readonly sinks: readonly SinkState[] | undefined;
  readonly views: ViewsState | undefined;
  /** Records in the dead-letter topic at most: markers of transactions take offsets too. */
  readonly deadLetters: number | undefined;
  readonly alarms: OpenAlarms | undefined;
  readonly ledger: Ledger | undefined;
  readonly stores: readonly StoreState[];
  readonly problems: readonly string[];
}

const SAMPLE_EVERY_MS = 5_000;
const KAFKA_LIMIT_MS = 5_000;
/** Nobody looks: nothing is asked. */
const WATCHED_FOR_MS = 60_000;
/** Answers within it are one. */
const KNOWN_FOR_MS = 1_000;

/** Keeps an eye on the pipeline as long as somebody asks for it. */
export class PipelineWatch {
  readonly #config: Config;
  readonly #stores: Stores;
  readonly #probes: StoreProbes;
  readonly #rates = new RateMeter();
  #timer: NodeJS.Timeout | undefined;
  #askedAtMs = 0;
  #known: { readonly atMs: number; readonly state: Promise<PipelineState> } | undefined;

  constructor(config: Config, stores: Stores, probes: StoreProbes) {
    this.#config = config;
    this.#stores = stores;
    this.#probes = probes;
  }

  start(): void {
    this.#timer = setInterval(() => {
      if (Date.now() - this.#askedAtMs < WATCHED_FOR_MS) void this.#current().catch(() => undefined);
    }, SAMPLE_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  state(): Promise<PipelineState> {
    this.#askedAtMs = Date.now();
    return this.#current();
  }

  #current(): Promise<PipelineState> {
    if (this.#known === undefined || Date.now() - this.#known.atMs > KNOWN_FOR_MS) {
      this.#known = { atMs: Date.now(), state: this.#look() };
    }
    return this.#known.state;
  }

  async #look(): Promise<PipelineState> {
    const { TOPIC_INGESTION: readings, TOPIC_UNORGANIZED: texts, TOPIC_DLQ: letters } = this.#config;
    const { log, documents, masterData } = this.#stores;
    const problems: string[] = [];
    const asked = async <T>(work: Promise<T>): Promise<T | undefined> => {
      try {
        return await work;
      } catch (error) {
        const known = asGridError(error, 'Looking at the pipeline');
        if (known.code === 'defect') throw known;
        problems.push(`${known.code}: ${known.message}`);
        return undefined;
      }
    };
    const [bounds, textBounds, letterBounds, committed, inHdfs, inMongodb, views, alarms, stores] = await Promise.all([
      asked(log.boundsOf(readings)),
      asked(log.boundsOf(texts)),
      asked(log.boundsOf(letters)),
      asked(this.#committed()),
      asked(masterData.committed(readings)),
      asked(documents.estimatedCount(this.#config.MONGODB_DATABASE, readings)),
      asked(this.#views()),
      asked(countOpenAlarms(this.#stores.database, this.#stores.database.schema)),
      this.#probes.states(),
    ]);
    const atMs = Date.now();
    const accepted = bounds === undefined ? undefined : sum(bounds, ({ high }) => high);
    if (accepted !== undefined) this.#rates.note('accepted', accepted, atMs);
    return {
      atMs,
      accepted: accepted === undefined ? undefined : { records: accepted, ratePerSecond: this.#rates.of('accepted') },
      sinks:
        committed === undefined || bounds === undefined || textBounds === undefined
          ? undefined
          : SINK_NAMES.map((sink) => {
              const isText = SINKS[sink].reads === 'text';
              return this.#sinkState(sink, isText ? texts : readings, isText ? textBounds : bounds, committed, atMs);
            }),
      views,
      alarms,
      deadLetters: letterBounds === undefined ? undefined : sum(letterBounds, ({ low, high }) => high - low),
      ledger:
        bounds === undefined || inHdfs === undefined
          ? undefined
          : ledgerOf(bounds, inHdfs, inMongodb, committed?.of(this.#group('mongodb'), readings)),
      stores,
      problems: [...new Set(problems)],
    };
  }

  #sinkState(
    sink: SinkName,
    topic: string,
    bounds: readonly LogBounds[],
    committed: CommittedOffsets,
    atMs: number,
  ): SinkState {
    const offsets = committed.of(this.#group(sink), topic);
    if (offsets.size === 0) return { sink, topic, lag: undefined, ratePerSecond: undefined };
    const read = sum(bounds, ({ partition, low }) => Math.max(low, offsets.get(partition) ?? low));
    this.#rates.note(sink, read, atMs);
    return {
      sink,
      topic,
      lag: Math.max(0, sum(bounds, ({ high }) => high) - read),
      ratePerSecond: this.#rates.of(sink),
    };
  }

  #committed(): Promise<CommittedOffsets> {
    const { TOPIC_INGESTION: readings, TOPIC_UNORGANIZED: texts } = this.#config;
    const groups = SINK_NAMES.map((sink) => ({
      groupId: this.#group(sink),
      topics: [SINKS[sink].reads === 'text' ? texts : readings],
    }));
    return committedOffsets(this.#stores.kafka, groups, KAFKA_LIMIT_MS);
  }

  #group(sink: SinkName): string {
    return `${this.#config.CONSUMER_GROUP_PREFIX}.${sink}`;
  }

  async #views(): Promise<ViewsState> {
    const { database } = this.#stores;
    const [row] = await database.query<{
      build_id: string | null;
      published_ms: number | null;
      watermark_ms: number | null;
      updated_ms: number | null;
    }>(`SELECT b.id::text AS build_id, (extract(epoch FROM b.published_at) * 1000)::float8 AS published_ms,
        (extract(epoch FROM p.watermark) * 1000)::float8 AS watermark_ms, (extract(epoch FROM p.updated_at) * 1000)::float8 AS updated_ms
      FROM (SELECT min(watermark) AS watermark, min(updated_at) AS updated_at FROM ${database.schema}.speed_position) p
      LEFT JOIN LATERAL (SELECT id, published_at FROM ${database.schema}.batch_build ORDER BY id DESC LIMIT 1) b ON true`);
    return {
      build: row?.build_id == null ? undefined : { id: row.build_id, publishedMs: row.published_ms ?? 0 },
      watermarkMs: row?.watermark_ms ?? undefined,
      updatedMs: row?.updated_ms ?? undefined,
    };
  }
}

export function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

export type { CommittedPartition };
