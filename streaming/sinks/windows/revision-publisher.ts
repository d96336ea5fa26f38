import type { RecordProducer } from '../../../connectors/kafka/produce/record-producer.ts';
import type {
  PublishedChanges,
  SpeedChange,
  SpeedPartition,
  SpeedView,
} from '../../../connectors/postgres/serving/speed-view.ts';
import { asGridError, type GridError } from '../../../grid/errors.ts';
import { Backoff } from '../../../runtime/waiting/backoff.ts';
import { orLate } from '../../../runtime/waiting/time-limit.ts';
import { revisionRecord } from './revision.ts';

export interface RevisionPublisherOptions {
  readonly producer: RecordProducer;
  readonly topic: string;
  readonly view: SpeedView;
  readonly partition: SpeedPartition;
  /** Told of what keeps revisions from Kafka; undefined when all is well again. */
  readonly onTrouble: (trouble: GridError | undefined) => void;
}

/** Rows that wait to be published at most; beyond, they are read from the database when their turn comes. */
const MOST_WAITING_ROWS = 4_000;
/** Rows that are read from the database at once. */
const PAGE_ROWS = 2_000;
/** Rows that are handed to the producer at once: all partitions together must leave room in its queue. */
const SENT_ROWS = 1_000;
const RETRY_DELAYS = { firstMs: 250, longestMs: 10_000, jitter: 0.2 };

/** A change whose rows are to be published. */
interface Waiting extends SpeedChange {
  /** What is published with it and all before it. */
  readonly reaches: PublishedChanges;
}

/**
 * Writes the rows that each transaction has changed to Kafka, in the order of the transactions, and tells up to which of them Kafka has
 * acknowledged: that is noted in the database with a later transaction, and where it ends an owner that comes after goes on. So every row's newest
 * revision gets to Kafka at least once, and nobody waits for Kafka.
 *
 *     direct ──too many rows wait, or Kafka fails──► catching up ──all is published──► direct
 *
 * Catching up, it reads rows from the database by the numbers of their changes. What a row was in between is passed over then.
 */
export class RevisionPublisher {
  readonly #options: RevisionPublisherOptions;
  readonly #closing = new AbortController();
  readonly #backoff = new Backoff(RETRY_DELAYS);
  #published: PublishedChanges;
  /** What there is to publish. */
  #reaches: PublishedChanges;
  #lastOffset: number;
  #watermarkMs: number | undefined;
  #waiting: Waiting[] = [];
  #waitingRows = 0;
  #isDirect = false;
  #running: Promise<void> | undefined;

  /**
   * @param published up to where an earlier owner came
   * @param position of the last change
   */
  constructor(options: RevisionPublisherOptions, { published, ...position }: SpeedChange['position']) {
    this.#options = options;
    this.#published = published;
    this.#reaches = reachOf(position, position.segmentFirstOffset);
    this.#lastOffset = position.nextOffset - 1;
    this.#watermarkMs = position.watermarkMs;
    this.#run();
  }

  /** Up to where all is in Kafka. */
  get published(): PublishedChanges {
    return this.#published;
  }

  /** @param segment first offset of the segment that its rows are of, if they are of one */
  offer(change: SpeedChange, segment: number): void {
    this.#reaches = reachOf(change.position, segment);
    this.#lastOffset = change.position.nextOffset - 1;
    this.#watermarkMs = change.position.watermarkMs;
    if (this.#isDirect) {
      this.#waiting.push({ ...change, reaches: this.#reaches });
      this.#waitingRows += change.rows.length;
      if (this.#waitingRows > MOST_WAITING_ROWS) this.#catchUp();
    }
    this.#run();
  }

  /** Waits for what is to be published, at most so long, and ends. Never throws. */
  async close(timeoutMs: number): Promise<void> {
    await orLate(timeoutMs, this.#running ?? Promise.resolve());
    this.#closing.abort();
  }

  #catchUp(): void {
    this.#isDirect = false;
    this.#waiting = [];
    this.#waitingRows = 0;
  }

  #run(): void {
    this.#running ??= this.#publish().finally(() => {
      this.#running = undefined;
      // Something may have been offered just when it ended.
      if (!this.#closing.signal.aborted && this.#published.change < this.#reaches.change) this.#run();
    });
  }

  /** Publishes until nothing is left. */
  async #publish(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted && this.#published.change < this.#reaches.change) {
      try {
        await (this.#isDirect ? this.#publishNext() : this.#publishPage());
        this.#backoff.reset();
        this.#options.onTrouble(undefined);
      } catch (error) {
        this.#catchUp();
        this.#options.onTrouble(asGridError(error, `Publishing windows of ${this.#options.partition.topic}`));
        await this.#backoff.pause(signal);
      }
    }
    if (this.#published.change >= this.#reaches.change) this.#isDirect = true;
  }

  async #publishNext(): Promise<void> {
    const next = this.#waiting[0];
    if (next === undefined) {
      this.#catchUp();
      return;
    }
    await this.#send(next.rows, next.position.nextOffset - 1);
    // It may have been told meanwhile to catch up.
    if (this.#waiting[0] === next) {
      this.#waiting.shift();
      this.#waitingRows -= next.rows.length;
    }
    this.#published = next.reaches;
  }

  async #publishPage(): Promise<void> {
    const { view, partition } = this.#options;
    const [until, lastOffset] = [this.#reaches, this.#lastOffset];
    const upTo = { change: until.change, watermarkMs: this.#watermarkMs };
    const rows = await view.changedSince(partition, this.#published, upTo, PAGE_ROWS);
    await this.#send(rows, lastOffset);
    const last = rows.at(-1);
    // Fewer than a page: there are no more. Until then what is behind may be of any segment that was so.
    this.#published =
      last === undefined || rows.length < PAGE_ROWS ? until : { ...this.#published, change: last.change_number };
    if (this.#published.change >= this.#reaches.change) this.#isDirect = true;
  }

  async #send(rows: SpeedChange['rows'], lastOffset: number): Promise<void> {
    const { producer, topic, partition } = this.#options;
    for (let from = 0; from < rows.length; from += SENT_ROWS) {
      const some = rows.slice(from, from + SENT_ROWS);
      await producer.send(
        topic,
        some.map((row) => revisionRecord(row, partition, lastOffset)),
      );
    }
  }
}

function reachOf(
  { changeNumber, finalizedUntilMs }: Pick<SpeedChange['position'], 'changeNumber' | 'finalizedUntilMs'>,
  segment: number,
): PublishedChanges {
  return { change: changeNumber, segment, untilMs: finalizedUntilMs };
}
