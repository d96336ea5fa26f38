import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { LogPlace, LogReader } from '../../connectors/kafka/read/log-reader.ts';
import { asGridError, GridError } from '../../grid/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { Backoff } from '../../runtime/waiting/backoff.ts';
import { EventClient, FreshEvents, resetText } from './event-client.ts';
import { EventTable, type NumberedEvent } from './event-table.ts';
import { alarmEvent, readingEvent, windowEvent } from './live-events.ts';

export interface EventFeedOptions {
  readonly log: LogReader;
  readonly topics: { readonly readings: string; readonly windows: string; readonly alarms: string };
  /** Keys whose newest event is remembered. */
  readonly keys: number;
  /** Clients at once. */
  readonly clients: number;
  /** How often clients are sent what is new, ms. */
  readonly everyMs: number;
  readonly logger: Logger;
}

/** What a client wants to be told of. */
export interface Wanted {
  /** Undefined: all. */
  readonly sensors: ReadonlySet<string> | undefined;
  readonly kinds: ReadonlySet<NumberedEvent['kind']>;
}

/** A fetch waits this long for records. */
const WAIT_MS = 250;
const BYTES_PER_PARTITION = 256 * 1_024;
/** More behind than this is not caught up with: what is live is what comes now. */
const MOST_BEHIND = 200_000;
/** How often it is looked whether a topic has got more partitions, or is there at all. */
const TOPICS_AGE_MS = 5_000;
const HEARTBEAT_MS = 15_000;
const NOBODY = -1;

/**
 * Reads the topics of readings and windows from their ends, once for all clients of this process, and sends each client what it wants: at most some times a second, of
 * each key the newest alone. It is not in any consumer group and commits nothing.
 *
 *     reading ──Kafka away──► waiting ──► reading on at the same places
 *     reading ──places gone, or too far behind──► beginning at the ends, under a new epoch: clients are told to reset
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #clients = new Set<EventClient>();
  readonly #places = new Map<string, LogPlace>();
  readonly #stopping = new AbortController();
  #table: EventTable;
  #epoch = newEpoch();
  #fresh: Map<string, NumberedEvent> = new Map();
  #isFreshWhole = true;
  #sentUpTo = 0;
  #topicsKnownAtMs = 0;
  #reading: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EventFeedOptions) {
    this.#options = options;
    this.#table = new EventTable(options.keys);
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  start(): void {
    this.#reading = this.#read();
    this.#timer = setInterval(() => {
      this.#send();
    }, this.#options.everyMs);
  }

  /** @throws GridError `too-many-requests` when there are too many clients; `shutting-down` */
  checkRoom(): void {
    if (this.#stopping.signal.aborted) {
      throw new GridError('shutting-down', 'Streaming events: this process is stopping. Ask its successor.');
    }
    if (this.#clients.size < this.#options.clients) return;
    throw new GridError(
      'too-many-requests',
      `Streaming events: there are ${this.#clients.size} clients already. Try again later.`,
    );
  }

  /**
   * Takes a client, whose stream of events has begun.
   *
   * @param lastEventId of the last event that it has, if it had any
   * @returns lets go of the client
   */
  add(response: ServerResponse, wanted: Wanted, lastEventId: string | undefined): () => void {
    const known = lastEventId === undefined ? undefined : this.#numberOf(lastEventId);
    const isLost = lastEventId !== undefined && known === undefined;
    const client = new EventClient(response, wanted, known ?? this.#table.last);
    // Says at once that the stream stands, and from where it goes on.
    client.write(
      `retry: 2000\n\n${isLost ? resetText(this.#epoch, this.#table.last) : `id: ${this.#epoch}-${client.at}\nevent: ready\ndata: {}\n\n`}`,
    );
    this.#clients.add(client);
    return () => {
      this.#clients.delete(client);
    };
  }

  /** Ends all streams. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#timer);
    for (const client of this.#clients) client.end();
    this.#clients.clear();
    await this.#reading;
  }

  #numberOf(id: string): number | undefined {
    const [epoch, text = ''] = id.split('-', 2);
    const number = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
    return epoch === this.#epoch && number !== undefined && this.#table.reachesBackTo(number) ? number : undefined;
  }

  async #read(): Promise<void> {
    const { log, logger } = this.#options;
    const { signal } = this.#stopping;
    const backoff = new Backoff({ firstMs: 100, longestMs: 2_000 });
    let isAway = false;
    while (!signal.aborted) {
      try {
        await this.#knowTopics();
        if (this.#places.size === 0) {
          await backoff.pause(signal);
          continue;
        }
        for (const part of await log.read([...this.#places.values()], WAIT_MS, BYTES_PER_PARTITION)) this.#take(part);
        backoff.reset();
        if (isAway) logger.info('events go on');
        isAway = false;
      } catch (error) {
        const known = asGridError(error, 'Reading what is new for /api/events');
        if (known.code === 'expired-before-read') this.#begin();
        else if (!isAway) logger.warn({ err: known }, 'events stand still');
        isAway = known.code !== 'expired-before-read';
        await backoff.pause(signal);
      }
    }
  }

  #take(part: Awaited<ReturnType<LogReader['read']>>[number]): void {
    const { topic, partition, records, nextOffset, highWatermark } = part;
    if (highWatermark - nextOffset > MOST_BEHIND) {
      this.#begin();
      return;
    }
    const { topics } = this.#options;
    const eventOf = topic === topics.alarms ? alarmEvent : windowEvent;
    for (const record of records) {
      const event = topic === topics.readings ? readingEvent(topic, partition, record) : eventOf(record);
      const numbered = event === undefined ? undefined : this.#table.put(event);
      if (numbered !== undefined) {
        this.#fresh.delete(numbered.key);
        this.#fresh.set(numbered.key, numbered);
      }
    }
    // What is held until the next round is bounded as the table is; beyond, clients are told from that.
    if (this.#fresh.size > this.#options.keys) {
      this.#fresh.clear();
      this.#isFreshWhole = false;
    }
    this.#places.set(placeName(topic, partition), { topic, partition, offset: nextOffset });
  }

  /** Forgets everything, and begins at the ends: clients are told that they have missed something. */
  #begin(): void {
    this.#places.clear();
    this.#topicsKnownAtMs = 0;
    this.#table = new EventTable(this.#options.keys);
    this.#fresh = new Map();
    this.#sentUpTo = 0;
    this.#epoch = newEpoch();
    for (const client of this.#clients) client.startAgain(this.#epoch);
  }

  async #knowTopics(): Promise<void> {
    if (Date.now() - this.#topicsKnownAtMs < TOPICS_AGE_MS) return;
    const { log, topics } = this.#options;
    const isFirst = this.#topicsKnownAtMs === 0;
    for (const topic of [topics.readings, topics.windows, topics.alarms]) {
      for (const { partition, low, high } of await log.boundsOf(topic)) {
        const name = placeName(topic, partition);
        // A partition that was not there before has nothing that is old.
        if (!this.#places.has(name)) this.#places.set(name, { topic, partition, offset: isFirst ? high : low });
      }
    }
    this.#topicsKnownAtMs = Date.now();
  }

  #send(): void {
    const nowMs = Date.now();
    // Nobody is up to NOBODY.
    const since = this.#isFreshWhole ? this.#sentUpTo : NOBODY;
    const fresh = new FreshEvents(since, [...this.#fresh.values()], this.#epoch);
    this.#fresh = new Map();
    this.#isFreshWhole = true;
    this.#sentUpTo = this.#table.last;
    for (const client of this.#clients) {
      client.send(this.#table, fresh, this.#epoch);
      client.beat(nowMs, HEARTBEAT_MS, this.#epoch);
    }
  }
}

/** Tells one life of a feed from another, since numbers begin anew. */
function newEpoch(): string {
  return randomBytes(6).toString('hex');
}

function placeName(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
