import type {
  CloseReason,
  ConsumedBatch,
  OpenAnswer,
  PartitionContext,
  PartitionProcessor,
} from '../../../connectors/kafka/consume/consumed.ts';
import type { RecordProducer } from '../../../connectors/kafka/produce/record-producer.ts';
import type {
  SpeedChange,
  SpeedPosition,
  SpeedView,
  WindowDelta,
} from '../../../connectors/postgres/serving/speed-view.ts';
import { windowLengthMs, windowStartMs, type Resolution } from '../../../grid/aggregate/window.ts';
import { asGridError, GridError } from '../../../grid/errors.ts';
import { SegmentCutter } from '../../../grid/segment.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { WriteBehind } from '../../../runtime/write-behind.ts';
import { routedRecords, type DecodeAndRoute } from '../routed-records.ts';
import { RecentIds } from './recent-ids.ts';
import { RevisionPublisher } from './revision-publisher.ts';
import { Watermark, type WatermarkLimits } from './watermark.ts';
import { WindowFold } from './window-fold.ts';
import type { WindowsMetrics } from './windows-metrics.ts';

export interface WindowsPartitionOptions extends DecodeAndRoute, WatermarkLimits {
  readonly view: SpeedView;
  /** Settles when the database has its tables. */
  readonly whenReady: () => Promise<void>;
  readonly producer: RecordProducer;
  readonly aggregatesTopic: string;
  readonly resolutions: readonly Resolution[];
  /** Offsets over which a correlation id is known. */
  readonly duplicateOffsets: number;
  /** How long segments are, see `grid/segment.ts`; default 10 minutes. */
  readonly segmentMs?: number;
  readonly logger: Logger;
  readonly metrics: WindowsMetrics;
  /** Told where a partition stands; undefined when it is let go. */
  readonly onPosition: (topic: string, partition: number, position: SpeedPosition | undefined) => void;
  readonly onTrouble: (topic: string, partition: number, trouble: GridError | undefined) => void;
}

/** What is added up to be written in one transaction: of one segment, up to an offset. */
interface Gathered {
  readonly fold: WindowFold;
  readonly startedAtMs: number;
  readonly segmentFirstOffset: number;
  readonly firstOffset: number;
  nextOffset: number;
  readonly counts: { folded: number; duplicate: number; 'switched-off': number; unreadable: number };
}

/** How often it is looked whether there is something to write. */
const TICK_MS = 100;
/** So long readings are gathered at least. */
const LEAST_GATHERING_MS = 150;
/** A transaction is followed by a pause of some times its length, so that a busy database gets larger ones, but not by more than this. */
const REST_TIMES = 3;
const LONGEST_REST_MS = 800;
/** With so many records left to read, nobody sees soon what came just now; more is gathered before it is written. */
const FAR_BEHIND = 20_000;
const FAR_BEHIND_MS = 10_000;
/** Work for the database that waits or is under way, before readings wait. */
const MOST_WORK = 2;
/** Rows that one transaction makes final, and removes. */
const FINAL_ROWS = 5_000;
const REMOVED_ROWS = 2_000;
const NOTE_EVERY_MS = 1_000;
const REMOVE_EVERY_MS = 10_000;
/** What a stop waits for Kafka to acknowledge revisions; the next owner does the rest. */
const PUBLISH_AT_STOP_MS = 2_000;

/**
 * Windows over one partition. Readings are folded while the database writes what was folded before; each transaction adds to the rows of a segment
 * and moves the position, and fails as a whole when the position is not where this owner left it. So whatever is killed, every reading is in its
 * windows once.
 */
export class WindowsPartition implements PartitionProcessor {
  readonly #options: WindowsPartitionOptions;
  readonly #context: PartitionContext;
  readonly #logger: Logger;
  readonly #work: WriteBehind<() => Promise<void>>;
  readonly #ids: RecentIds;
  /** With its windows all others end. */
  readonly #shortest: Resolution;
  #working = 0;
  #state: 'new' | 'open' | 'closed' = 'new';
  #failure: GridError | undefined;
  #publisher: RevisionPublisher | undefined;
  #watermark: Watermark | undefined;
  #cutter = new SegmentCutter();
  #position: SpeedPosition | undefined;
  #gathered: Gathered | undefined;
  #firstUnread = 0;
  /** Records that are left to read. */
  #behind = 0;
  #lastWriteMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #shownOffset = 0;
  #notedAtMs = 0;
  #removedAtMs = 0;

  constructor(context: PartitionContext, options: WindowsPartitionOptions) {
    this.#context = context;
    this.#options = options;
    this.#logger = options.logger.child({ topic: context.topic, partition: context.partition });
    this.#ids = new RecentIds(options.duplicateOffsets);
    const [shortest = 'minute'] = [...options.resolutions].sort((a, b) => windowLengthMs(a) - windowLengthMs(b));
    this.#shortest = shortest;
    this.#work = new WriteBehind(async (work) => {
      try {
        await work();
      } catch (error) {
        throw this.#fail(asGridError(error, `Writing windows of ${context.topic}/${context.partition}`));
      } finally {
        this.#working--;
      }
    }, MOST_WORK);
  }

  /** Ids are read again as far back as they count, so that a new owner takes for duplicates what the one before did. */
  async open(): Promise<OpenAnswer> {
    const { view, latenessMs, idleMs, duplicateOffsets } = this.#options;
    await this.#options.whenReady();
    const position = await view.open(this.#context);
    this.#state = 'open';
    this.#setPosition(position);
    const { nextOffset, segmentFirstOffset, segmentNumber, watermarkMs } = position;
    this.#firstUnread = nextOffset;
    this.#shownOffset = nextOffset;
    this.#cutter = new SegmentCutter(
      this.#options.segmentMs,
      nextOffset === 0 ? {} : { number: segmentNumber, lastOffset: nextOffset - 1 },
    );
    this.#watermark = new Watermark({ latenessMs, idleMs }, watermarkMs, Date.now());
    this.#gathered = this.#gather(segmentFirstOffset, nextOffset);
    this.#publisher = new RevisionPublisher(
      {
        producer: this.#options.producer,
        topic: this.#options.aggregatesTopic,
        view,
        partition: this.#context,
        onTrouble: (trouble) => {
          this.#options.onTrouble(this.#context.topic, this.#context.partition, trouble);
        },
      },
      position,
    );
    this.#timer = setInterval(() => {
      this.#tick(Date.now());
    }, TICK_MS);
    this.#logger.debug({ nextOffset, segmentFirstOffset }, 'windows opened');
    return { offset: nextOffset, rereadFrom: Math.max(0, nextOffset - duplicateOffsets) };
  }

  async process(batch: ConsumedBatch): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    let gathered = this.#gatheredNow();
    const nowMs = Date.now();
    for (const routed of routedRecords(batch, this.#options)) {
      const { record } = routed;
      const isReading = routed.kind === 'reading';
      if (record.offset < this.#firstUnread) {
        if (isReading) this.#ids.add(record.offset, routed.reading.correlationId);
        continue;
      }
      if (this.#cutter.isCut(record)) {
        gathered.nextOffset = record.offset;
        await this.#endSegment();
        gathered = this.#gatheredNow();
      } else if (gathered.fold.isFull) {
        await this.#write();
        gathered = this.#gatheredNow();
      }
      gathered.nextOffset = record.offset + 1;
      if (!isReading) {
        gathered.counts.unreadable++;
        continue;
      }
      const { reading, route, value } = routed;
      const isDuplicate = this.#ids.add(record.offset, reading.correlationId);
      if (!route.sinks.windows) gathered.counts['switched-off']++;
      else if (isDuplicate) gathered.counts.duplicate++;
      else {
        gathered.counts.folded++;
        gathered.fold.add(reading, value.length);
        if (reading.aspect === 'real_time') {
          this.#watermark?.observe(reading.eventTimeMs, record.timestampMs, nowMs);
        }
      }
    }
    gathered.nextOffset = Math.max(gathered.nextOffset, batch.nextOffset);
    this.#behind = Math.max(0, batch.highWatermark - batch.nextOffset);
    // Under load the timer may not find the time.
    if (this.#working === 0 && this.#isDue(gathered, Date.now())) await this.#write();
  }

  async close(reason: CloseReason): Promise<void> {
    clearInterval(this.#timer);
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    if (!wasOpen) return;
    try {
      // Not where another owner may be at work already: it would have to open anew.
      if (reason.kind === 'stopped' && this.#failure === undefined) await this.#write();
      await this.#work.end();
      if (reason.kind === 'stopped') {
        await this.#publisher?.close(PUBLISH_AT_STOP_MS);
        await this.#note();
        await this.#showProgress();
      }
    } catch (error) {
      const known = asGridError(error, 'Writing the last windows');
      this.#logger.info({ code: known.code }, `${known.message} It is read again from Kafka by the next owner.`);
    } finally {
      await this.#publisher?.close(0);
      this.#options.onPosition(this.#context.topic, this.#context.partition, undefined);
      this.#options.onTrouble(this.#context.topic, this.#context.partition, undefined);
    }
  }

  #gatheredNow(): Gathered {
    if (this.#gathered === undefined || this.#state !== 'open') {
      const { topic, partition } = this.#context;
      throw new GridError('fenced', `Adding to windows of ${topic}/${partition}: the partition is not owned any more.`);
    }
    return this.#gathered;
  }

  #gather(segmentFirstOffset: number, firstOffset: number): Gathered {
    return {
      fold: new WindowFold(this.#options.resolutions),
      startedAtMs: Date.now(),
      segmentFirstOffset,
      firstOffset,
      nextOffset: firstOffset,
      counts: { folded: 0, duplicate: 0, 'switched-off': 0, unreadable: 0 },
    };
  }

  /** The next record begins a segment: what is gathered is written as the end of the one before, unless there is nothing in it. */
  async #endSegment(): Promise<void> {
    const gathered = this.#gathered;
    if (gathered === undefined || gathered.nextOffset === gathered.segmentFirstOffset) return;
    await this.#write(gathered.nextOffset);
  }

  /**
   * Has what is gathered written, and gathers anew; waits only while much is to be written.
   *
   * @param nextSegment offset with which the next segment begins, if one does
   */
  async #write(nextSegment?: number): Promise<void> {
    const gathered = this.#gathered;
    if (gathered === undefined) return;
    if (nextSegment === undefined && gathered.nextOffset === gathered.firstOffset) return;
    const segmentFirstOffset = nextSegment ?? gathered.segmentFirstOffset;
    // The cutter knows of the record that begins the next segment, and it is that one's number.
    const segmentNumber = this.#cutter.number ?? 0;
    const watermarkMs = this.#watermark?.at(Date.now(), this.#behind === 0);
    this.#gathered = this.#gather(segmentFirstOffset, gathered.nextOffset);
    await this.#inTurn(async () => {
      await this.#fold(gathered, { segmentFirstOffset, segmentNumber, watermarkMs }, nextSegment !== undefined);
      await this.#finalize();
      await this.#keepUp(Date.now());
    });
  }

  /** Adds work for the database; settles when there is room for more. */
  async #inTurn(work: () => Promise<void>): Promise<void> {
    this.#working++;
    await this.#work.add(work);
  }

  async #fold(
    { fold, counts, nextOffset }: Gathered,
    moved: Pick<SpeedPosition, 'segmentFirstOffset' | 'segmentNumber' | 'watermarkMs'>,
    endsSegment: boolean,
  ): Promise<void> {
    const before = this.#position;
    if (before === undefined) return;
    const startedMs = performance.now();
    let late = 0;
    // Made only when there is a connection: all partitions together would make many.
    const deltas = (): WindowDelta[] => {
      const made = fold.deltas(before.watermarkMs);
      late = made.reduce((sum, { isLate }) => sum + (isLate ? 1 : 0), 0);
      return made;
    };
    const after = { ...before, ...moved, nextOffset, published: this.#publisher?.published ?? before.published };
    const change = await this.#options.view.fold(this.#context, before, after, deltas, endsSegment);
    this.#took(change, before.segmentFirstOffset);
    const { metrics } = this.#options;
    this.#lastWriteMs = performance.now() - startedMs;
    metrics.folded(this.#context.topic, change.rows.length, late, this.#lastWriteMs);
    for (const outcome of ['folded', 'duplicate', 'switched-off', 'unreadable'] as const) {
      metrics.records.add(outcome, counts[outcome]);
    }
  }

  /** Makes windows final that the watermark has passed, if one has ended since; many of them in some steps. */
  async #finalize(): Promise<void> {
    const before = this.#position;
    if (before === undefined || !this.#isToFinalize(before)) return;
    const change = await this.#options.view.finalize(this.#context, this.#withPublished(before), FINAL_ROWS);
    this.#took(change, before.segmentFirstOffset);
    this.#options.metrics.finalized(this.#context.topic, change.rows.length);
  }

  #isToFinalize({ watermarkMs, finalizedUntilMs }: SpeedPosition): boolean {
    return watermarkMs !== undefined && this.#hasEnded(watermarkMs, finalizedUntilMs);
  }

  /** Whether a window ends between the two moments. */
  #hasEnded(passedMs: number, passedBeforeMs: number | undefined): boolean {
    return (
      passedBeforeMs === undefined ||
      windowStartMs(passedMs, this.#shortest) > windowStartMs(passedBeforeMs, this.#shortest)
    );
  }

  #took(change: SpeedChange, segment: number): void {
    this.#setPosition(change.position);
    this.#publisher?.offer(change, segment);
  }

  #setPosition(position: SpeedPosition): void {
    this.#position = position;
    this.#options.onPosition(this.#context.topic, this.#context.partition, position);
  }

  #withPublished(position: SpeedPosition): SpeedPosition {
    return { ...position, published: this.#publisher?.published ?? position.published };
  }

  #isDue({ startedAtMs }: Gathered, nowMs: number): boolean {
    const restMs = Math.min(LONGEST_REST_MS, REST_TIMES * this.#lastWriteMs);
    return nowMs - startedAtMs >= (this.#behind > FAR_BEHIND ? FAR_BEHIND_MS : Math.max(LEAST_GATHERING_MS, restMs));
  }

  #tick(nowMs: number): void {
    const [gathered, position] = [this.#gathered, this.#position];
    if (this.#working > 0 || gathered === undefined || position === undefined || this.#failure !== undefined) return;
    if (gathered.nextOffset > gathered.firstOffset) {
      if (this.#isDue(gathered, nowMs)) this.#inBackground(this.#write());
      return;
    }
    const watermarkMs = this.#watermark?.at(nowMs, this.#behind === 0);
    const movesOn = watermarkMs !== undefined && this.#hasEnded(watermarkMs, position.watermarkMs);
    if (!movesOn && !this.#isToFinalize(position) && nowMs - this.#notedAtMs < NOTE_EVERY_MS) return;
    this.#inBackground(
      this.#inTurn(async () => {
        if (movesOn) await this.#passIdly(watermarkMs);
        await this.#finalize();
        await this.#note();
        await this.#keepUp(nowMs);
      }),
    );
  }

  /** Who fails tells by itself. */
  #inBackground(work: Promise<void>): void {
    work.catch(() => undefined);
  }

  async #passIdly(watermarkMs: number): Promise<void> {
    const before = this.#position;
    if (before === undefined) return;
    const position = await this.#options.view.note(this.#context, before, {
      ...this.#withPublished(before),
      watermarkMs,
    });
    this.#took({ position, rows: [] }, before.segmentFirstOffset);
  }

  /** Notes up to where revisions are published, if a change with rows is. */
  async #note(): Promise<void> {
    const before = this.#position;
    // The note itself is a change without rows, of which nothing need be noted.
    if (before === undefined || (this.#publisher?.published.change ?? 0) <= before.published.change + 1) return;
    const position = await this.#options.view.note(this.#context, before, this.#withPublished(before));
    this.#took({ position, rows: [] }, before.segmentFirstOffset);
  }

  /** Now and then: shows how far it is, and removes what the batch view has by now. */
  async #keepUp(nowMs: number): Promise<void> {
    if (nowMs - this.#notedAtMs >= NOTE_EVERY_MS) {
      this.#notedAtMs = nowMs;
      await this.#showProgress();
    }
    if (nowMs - this.#removedAtMs >= REMOVE_EVERY_MS) {
      const published = this.#publisher?.published;
      if (published === undefined) return;
      // With more to be removed it goes on at the next turn.
      if (!(await this.#options.view.removeCovered(this.#context, published, REMOVED_ROWS))) this.#removedAtMs = nowMs;
    }
  }

  /** The offset in Kafka only shows the lag. */
  async #showProgress(): Promise<void> {
    const nextOffset = this.#position?.nextOffset ?? 0;
    if (nextOffset === this.#shownOffset) return;
    try {
      await this.#context.commitOffset(nextOffset);
      this.#shownOffset = nextOffset;
    } catch (error) {
      const known = asGridError(error, 'Committing the offset');
      this.#logger.debug({ code: known.code }, `${known.message} Only the lag that is shown is behind.`);
    }
  }

  /** Tells the consumer, once. */
  #fail(error: GridError): GridError {
    if (this.#failure === undefined && this.#state === 'open') this.#context.fail(error);
    this.#failure ??= error;
    return error;
  }
}
