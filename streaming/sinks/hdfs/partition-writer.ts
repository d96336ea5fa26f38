import type { HdfsPort } from '../../../connectors/hdfs/hdfs.ts';
import type {
  CloseReason,
  ConsumedBatch,
  PartitionContext,
  PartitionProcessor,
} from '../../../connectors/kafka/consume/consumed.ts';
import { asGridError, GridError } from '../../../grid/errors.ts';
import { SegmentCutter } from '../../../grid/segment.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { CommitLog } from './commit-log.ts';
import type { OnCommitPoint } from './commit-point.ts';
import type { CommitRecord } from '../../../connectors/hdfs/commit-log/commit-record.ts';
import { DataDirectories } from './data-directories.ts';
import { PartitionLayout } from '../../../connectors/hdfs/commit-log/layout.ts';
import { takeOver } from './ownership.ts';
import type { Placer } from './placement.ts';
import { publishDataFiles } from './publication.ts';
import { Range } from './range.ts';
import { SetAside } from './set-aside.ts';
import type { WriteBudget } from './write-budget.ts';

/** When a range is committed, and how. */
export interface PartitionWriterOptions {
  readonly hdfs: HdfsPort;
  readonly topicsDirectory: string;
  readonly placer: Placer;
  readonly budget: WriteBudget;
  readonly rotateBytes: number;
  /** Age of a range at which it is committed, by wall clock, so that idle topics become visible too. */
  readonly rotateAgeMs: number;
  /** How long segments are, see `grid/segment.ts`; default 10 minutes. */
  readonly segmentMs?: number;
  /** Commit records are folded into a checkpoint when there are this many. */
  readonly checkpointCommits: number;
  readonly logger: Logger;
  readonly onPoint?: OnCommitPoint;
  readonly onCommit?: (record: CommitRecord, durationMs: number) => void;
  /** Told how many files of the partition are set aside, as far as is known; 0 when the partition is let go. */
  readonly onSetAside?: (topic: string, partition: number, files: number) => void;
}

type State =
  | { readonly kind: 'new' }
  | { readonly kind: 'owning'; readonly owner: string; range: Range }
  | { readonly kind: 'closed' };

/** The states that may follow each. */
const NEXT: Readonly<Record<State['kind'], readonly State['kind'][]>> = {
  new: ['owning', 'closed'],
  owning: ['closed'],
  closed: [],
};

const MS_PER_DAY = 86_400_000;

/**
 * Writes one partition to HDFS so that each record lies in exactly one published file, whatever is killed when.
 *
 *     new ──open(): take over──► owning ──close()──► closed
 *
 * While it owns the partition, records gather in a {@link Range}; a range is committed when it is large or old enough, before a record
 * with which a segment begins (see `grid/segment.ts`: there a batch view may end), when the UTC day ends, and when the partition is let go. A commit is: close and verify the files, write the commit record,
 * rename it to the name fixed by partition and first offset (this instant decides), rename the data files.
 * Whatever fails, fails the whole ownership: the partition is then taken over afresh, and what was not committed is read
 * again from Kafka. Where to read from is told by the log in HDFS alone; offsets committed to Kafka only show the lag.
 */
export class PartitionWriter implements PartitionProcessor {
  readonly #context: PartitionContext;
  readonly #options: PartitionWriterOptions;
  readonly #layout: PartitionLayout;
  readonly #log: CommitLog;
  readonly #directories: DataDirectories;
  readonly #setAside: SetAside;
  readonly #onPoint: OnCommitPoint;
  readonly #logger: Logger;
  readonly #cutter: SegmentCutter;
  #state: State = { kind: 'new' };
  /** Processing and the timer's commits take turns. */
  #turn: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #setAsideFiles = 0;

  constructor(context: PartitionContext, options: PartitionWriterOptions) {
    this.#context = context;
    this.#options = options;
    this.#cutter = new SegmentCutter(options.segmentMs);
    this.#onPoint = options.onPoint ?? (() => undefined);
    this.#layout = new PartitionLayout(options.topicsDirectory, context.topic, context.partition);
    this.#log = new CommitLog(options.hdfs, this.#layout, this.#onPoint);
    this.#directories = new DataDirectories(options.hdfs);
    this.#setAside = new SetAside(options.hdfs, this.#layout);
    this.#logger = options.logger.child({ topic: context.topic, partition: context.partition });
  }

  async open(): Promise<number> {
    const { owner, nextOffset, alarms, setAsideFiles } = await takeOver(
      this.#options.hdfs,
      this.#layout,
      this.#log,
      this.#onPoint,
    );
    this.#become({ kind: 'owning', owner, range: this.#newRange(owner, nextOffset) });
    this.#options.budget.join();
    this.#logger.info({ owner, nextOffset }, 'partition taken over');
    this.#raise(alarms);
    this.#showSetAside(setAsideFiles);
    return nextOffset;
  }

  #become(state: State): void {
    if (!NEXT[this.#state.kind].includes(state.kind)) {
      throw new GridError(
        'defect',
        `Writing ${this.#context.topic}/${this.#context.partition}: ${state.kind} after ${this.#state.kind}.`,
      );
    }
    this.#state = state;
  }

  #raise(alarms: readonly GridError[]): void {
    for (const { code, message } of alarms) this.#logger.error({ code }, message);
  }

  #showSetAside(files: number): void {
    if (files > 0) {
      this.#logger.error(
        { files, directory: this.#layout.setAsideRoot },
        'committed files are set aside and missing from the published data: see the notes beside them',
      );
    }
    this.#setAsideFiles = files;
    this.#options.onSetAside?.(this.#context.topic, this.#context.partition, files);
  }

  process(batch: ConsumedBatch): Promise<void> {
    return this.#inTurn(async () => {
      const state = this.#state;
      if (state.kind !== 'owning') {
        throw new GridError(
          'fenced',
          `Writing ${batch.topic}/${batch.partition}: the partition is not owned any more.`,
        );
      }
      if (state.range.isEmpty) this.#startTimer();
      const { placer } = this.#options;
      let { range } = state;
      let { counts } = range;
      counts.expired += batch.expiredOffsets;
      /** Offsets up to here are accounted for. */
      let countedTo = range.nextOffset + batch.expiredOffsets;
      let uncounted = 0;
      for (const record of batch.records) {
        if (this.#cutter.isCut(record)) {
          counts.missing += record.offset - countedTo - uncounted;
          [countedTo, uncounted] = [record.offset, 0];
          range.nextOffset = record.offset;
          await this.#commit(state);
          ({ range } = state);
          ({ counts } = range);
          this.#startTimer();
        }
        uncounted++;
        const placement = placer.place(record, batch.partition);
        if (placement.kind === 'placed') {
          const flushed = range.append(placement.path, placement.line, record.offset, placement.eventTimeMs);
          if (flushed !== undefined) await flushed;
        } else if (placement.kind === 'unreadable') counts.unreadable++;
        else counts.notRouted++;
      }
      range.nextOffset = batch.nextOffset;
      counts.missing += batch.nextOffset - countedTo - uncounted;
      if (range.lengthBytes >= this.#options.rotateBytes) await this.#commit(state);
    });
  }

  async close(reason: CloseReason): Promise<void> {
    clearTimeout(this.#timer);
    await this.#turn;
    const state = this.#state;
    if (state.kind !== 'owning') {
      if (state.kind === 'new') this.#become({ kind: 'closed' });
      return;
    }
    try {
      // After a failure the range may lack what failed; on a rebalance the commit is safe, since a new owner fences first.
      if (reason.kind !== 'failed') {
        await this.#commit(state);
        await this.#options.hdfs.delete(this.#layout.ownerDirectory(state.owner), { recursive: true });
      }
    } catch (error) {
      const known = asGridError(error, 'Committing the last range');
      this.#logger.info({ code: known.code }, `${known.message} It is read again from Kafka by the next owner.`);
    } finally {
      this.#become({ kind: 'closed' });
      this.#options.onSetAside?.(this.#context.topic, this.#context.partition, 0);
      this.#options.budget.leave();
      await state.range.abort();
    }
  }

  async #commit(state: State & { kind: 'owning' }): Promise<void> {
    clearTimeout(this.#timer);
    const { range, owner } = state;
    if (range.isEmpty) return;
    const startedMs = performance.now();
    const files = await range.finish();
    await this.#directories.make(files.map(({ partitionPath }) => this.#layout.dataDirectory(partitionPath)));
    this.#onPoint('directories-made');
    const record: CommitRecord = {
      version: 1,
      topic: this.#context.topic,
      partition: this.#context.partition,
      firstOffset: range.firstOffset,
      lastOffset: range.nextOffset - 1,
      ...range.counts,
      owner,
      committedAt: new Date().toISOString(),
      files: files.map(({ partitionPath, file }) => ({
        ...file,
        path: this.#layout.dataFile(partitionPath, file.firstOffset, file.lastOffset, this.#options.placer.extension),
      })),
    };
    await this.#log.write(record, owner);
    await this.#log.publish(record, owner);
    const alarms = await publishDataFiles(this.#options.hdfs, this.#layout, record, owner, this.#onPoint);
    state.range = this.#newRange(owner, range.nextOffset);
    const durationMs = performance.now() - startedMs;
    this.#options.onCommit?.(record, durationMs);
    this.#logger.debug(
      { firstOffset: record.firstOffset, lastOffset: record.lastOffset, files: record.files.length, durationMs },
      'range committed',
    );
    this.#raise(alarms);
    if (alarms.length + this.#setAsideFiles > 0) await this.#countSetAside();
    await this.#showProgress(range.nextOffset);
    if (this.#log.unfoldedCount >= this.#options.checkpointCommits) await this.#log.fold(owner);
  }

  /** Counts anew, since somebody may have repaired it. A failure here must not undo a commit. */
  async #countSetAside(): Promise<void> {
    try {
      const files = (await this.#setAside.notes()).length;
      if (files !== this.#setAsideFiles) this.#showSetAside(files);
    } catch (error) {
      const known = asGridError(error, 'Counting what is set aside');
      this.#logger.debug({ code: known.code }, `${known.message} Only the count that is shown may be old.`);
    }
  }

  /** Offsets in Kafka are for lag monitoring only, so a failure here must not undo a commit. */
  async #showProgress(nextOffset: number): Promise<void> {
    try {
      await this.#context.commitOffset(nextOffset);
      this.#onPoint('offset-committed');
    } catch (error) {
      const known = asGridError(error, 'Committing the offset');
      this.#logger.debug({ code: known.code }, `${known.message} Only the lag that is shown is behind.`);
    }
  }

  #newRange(owner: string, firstOffset: number): Range {
    return new Range(this.#options.hdfs, this.#layout, owner, firstOffset, this.#options.budget, this.#onPoint);
  }

  #startTimer(): void {
    clearTimeout(this.#timer);
    const untilMidnightMs = MS_PER_DAY - (Date.now() % MS_PER_DAY);
    this.#timer = setTimeout(
      () => {
        this.#inTurn(async () => {
          if (this.#state.kind === 'owning') await this.#commit(this.#state);
        }).catch((error: unknown) => {
          this.#context.fail(asGridError(error, `Committing ${this.#context.topic}/${this.#context.partition} by age`));
        });
      },
      Math.min(this.#options.rotateAgeMs, untilMidnightMs),
    );
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
