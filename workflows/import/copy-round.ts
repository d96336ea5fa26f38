import { CancellationScope, CancelledFailure, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import type { ImportRun, StretchResult } from './activity-contract.ts';
import type { SourceSnapshot } from '../../grid/history/sql-source.ts';
import { sourceActivities } from './activity-calls.ts';
import { failureReason, type FailureReason } from '../job/failure-reason.ts';
import { inLanes } from '../../grid/lanes.ts';
import { notTried, OutageWatch } from './outage-watch.ts';
import { remainingStretches, stretchSize, withRange, type SplitRange } from './split-ranges.ts';
import { planned, type ParkedSplit, type PlannedWork, type TableWork } from './table-work.ts';
import { runFor } from './import-run.ts';
import { nameOfTable } from '../../grid/history/table-name.ts';

/**
 * How a round ends: everything is at its snapshot; the history is long enough, go on in a new run; the source does not know the
 * snapshot any more; there is a newer snapshot, and not all that is to be done was begun yet.
 */
export type RoundEnd = 'complete' | 'handover' | 'snapshot lost' | 'snapshot replaced';

export interface RoundOptions {
  readonly run: ImportRun;
  readonly lanes: number;
  readonly maxBytesPerSecond?: number;
  /** Absent where snapshots are not shared. */
  readonly snapshot?: SourceSnapshot;
  readonly named: boolean;
  readonly eventsPerRun: number;
  /** Whether the keeper has a newer snapshot than this round's. */
  readonly replaced: () => boolean;
  readonly changed: (index: number) => void;
}

interface StretchJob {
  readonly index: number;
  readonly range: SplitRange;
}

/** A table with so many splits parked has a trouble of its own; the others are left for the retry. */
const MOST_PARKED_SPLITS = 50;
/** A table that is read through one connection is begun again when the connection's snapshot is lost, so often. */
const MOST_LOST_SNAPSHOTS = 20;
const AFTER_LOST_SNAPSHOT_MS = 5_000;

/**
 * Brings tables to one snapshot: plans each at it, then brings all their splits to it, in lanes. Tables and splits that fail for good
 * are parked, the others go on.
 */
export class CopyRound {
  readonly #works: TableWork[];
  readonly #options: RoundOptions;
  readonly #scope: CancellationScope;
  readonly #outage = new OutageWatch();
  readonly #active = new Map<number, number>();
  readonly #lostSnapshots = new Map<number, number>();
  #stretches: StretchJob[] = [];
  #end: Exclude<RoundEnd, 'complete'> | undefined;

  /** @param works are changed as they get on */
  constructor(works: TableWork[], options: RoundOptions) {
    this.#works = works;
    this.#options = options;
    this.#scope = new CancellationScope();
  }

  isActive(index: number): boolean {
    return this.#active.has(index);
  }

  /** Must be called when the keeper has told of a snapshot. What is under way may still complete the round, so it goes on if nothing else is to do. */
  snapshotReplaced(): void {
    if (this.#stretches.length > 0 || this.#works.some(({ state }) => state === 'unplanned')) {
      this.#stop('snapshot replaced');
    }
  }

  /** When it ends no activity of it runs any more. */
  async run(): Promise<RoundEnd> {
    const outer = CancellationScope.current();
    try {
      await this.#scope.run(async () => {
        await this.#plan();
        if (this.#end === undefined) await this.#bring();
      });
    } catch (error) {
      // Broken off by #stop, not from outside.
      if (!(isCancellation(error) && this.#end !== undefined && !outer.consideredCancelled)) throw error;
    }
    return this.#end ?? 'complete';
  }

  async #plan(): Promise<void> {
    const { lanes, run, snapshot } = this.#options;
    const queue = [...this.#works.keys()].filter((index) => this.#works[index]?.state === 'unplanned');
    const next = (): number | undefined => (queue.length === 0 || this.#mustStop() ? undefined : queue.shift());
    await inLanes(lanes, next, async (index) => {
      const work = this.#works[index];
      if (work?.state !== 'unplanned') return;
      const { table } = work;
      await this.#attempt(index, async () => {
        const request = { run: runFor(run, table), table, ...(snapshot === undefined ? {} : { snapshot }) };
        const plan = await sourceActivities(nameOfTable(table)).planTable(request);
        this.#works[index] = planned(work, plan);
      });
    });
  }

  async #bring(): Promise<void> {
    this.#stretches = this.#works
      .flatMap((work, index) => (work.state === 'planned' ? [{ work, index }] : []))
      // The largest first: so the lanes end together.
      .sort((a, b) => b.work.estimatedRows - a.work.estimatedRows || a.index - b.index)
      .flatMap(({ work, index }) => this.#remaining(work).map((range) => ({ index, range })));
    const next = (): StretchJob | undefined => {
      if (this.#stretches.length === 0 || this.#mustStop()) return undefined;
      return this.#stretches.shift();
    };
    await inLanes(this.#options.lanes, next, async (job) => {
      const work = this.#works[job.index];
      if (work?.state !== 'planned') return;
      await this.#attempt(
        job.index,
        async () => {
          const result = await this.#bringStretch(work, job.range);
          const now = this.#works[job.index];
          if (now?.state === 'planned')
            this.#works[job.index] = broughtOn(now, job.range, result, this.#options.snapshot);
        },
        job.range,
      );
    });
  }

  #remaining(work: PlannedWork): readonly SplitRange[] {
    const splits = work.parked.map(({ split }) => split);
    if (this.#options.snapshot !== undefined) {
      return remainingStretches(work.splits, stretchSize(work.splits), work.done, splits);
    }
    // One connection, one snapshot: a table as a whole, also one without splits, whose moment is asked for.
    const whole: SplitRange = [0, work.splits];
    const isLeft = work.snapshot === undefined && (work.splits === 0 || splitsLeft(whole, work.parked));
    return isLeft ? [whole] : [];
  }

  async #bringStretch(work: PlannedWork, [from, to]: SplitRange): Promise<StretchResult> {
    const { run, snapshot } = this.#options;
    const maxBytesPerSecond = this.#bytesPerSecond();
    const skip = work.parked.map(({ split }) => split).filter((split) => split >= from && split < to);
    const summary = `${nameOfTable(work.table)}, splits ${from} to ${to - 1} of ${work.splits}`;
    return await sourceActivities(summary).bringSplits({
      run: runFor(run, work.table),
      table: work.table,
      from,
      to,
      skip,
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(maxBytesPerSecond === undefined ? {} : { maxBytesPerSecond }),
    });
  }

  /** The share of one lane, of those that will be busy. */
  #bytesPerSecond(): number | undefined {
    const { maxBytesPerSecond, lanes } = this.#options;
    if (maxBytesPerSecond === undefined) return undefined;
    const running = [...this.#active.values()].reduce((sum, count) => sum + count, 0);
    return Math.max(1, Math.floor(maxBytesPerSecond / Math.min(lanes, running + this.#stretches.length)));
  }

  async #attempt(index: number, work: () => Promise<void>, range?: SplitRange): Promise<void> {
    const { changed } = this.#options;
    this.#active.set(index, (this.#active.get(index) ?? 0) + 1);
    changed(index);
    try {
      await work();
      this.#outage.succeeded();
    } catch (error) {
      // Once the round is broken off, nothing of it counts: one whose worker was killed ends by its time-out, not as cancelled.
      if (this.#scope.consideredCancelled) {
        throw isCancellation(error) ? error : new CancelledFailure('The round was broken off');
      }
      await this.#failed(index, failureReason(error), range);
    } finally {
      const others = (this.#active.get(index) ?? 1) - 1;
      if (others === 0) this.#active.delete(index);
      else this.#active.set(index, others);
      changed(index);
    }
  }

  async #failed(index: number, reason: FailureReason, range: SplitRange | undefined): Promise<void> {
    const work = this.#works[index];
    if (work === undefined) return;
    if (reason.code === 'snapshot-lost') {
      if (this.#options.snapshot !== undefined) {
        this.#stop('snapshot lost');
        return;
      }
      const times = (this.#lostSnapshots.get(index) ?? 0) + 1;
      this.#lostSnapshots.set(index, times);
      if (range !== undefined && times <= MOST_LOST_SNAPSHOTS) {
        await sleep(AFTER_LOST_SNAPSHOT_MS);
        this.#stretches.unshift({ index, range });
        return;
      }
    }
    if (reason.code === 'unknown-table' && !this.#options.named) {
      this.#works[index] = { state: 'gone', table: work.table, reason: reason.message };
    } else if (range !== undefined && work.state === 'planned' && canParkSplit(work, reason)) {
      const { split, code, message } = reason;
      const parked = [...work.parked, { split, code, reason: message }].sort((a, b) => a.split - b.split);
      this.#works[index] = { ...work, parked };
      if (splitsLeft(range, parked)) this.#stretches.unshift({ index, range });
    } else {
      this.#park(index, reason.code, reason.message);
    }
    if (this.#outage.failed(reason)) this.#parkTheRest(reason);
  }

  #park(index: number, code: string, reason: string): void {
    const work = this.#works[index];
    if (work?.state !== 'unplanned' && work?.state !== 'planned') return;
    const splits = work.parked.map(({ split }) => split);
    this.#works[index] = {
      state: 'parked',
      table: work.table,
      code,
      reason,
      splits,
      refused: work.state === 'unplanned',
    };
    this.#stretches = this.#stretches.filter((job) => job.index !== index);
    this.#options.changed(index);
  }

  #parkTheRest(reason: FailureReason): void {
    const left = new Set(this.#stretches.map(({ index }) => index));
    for (const [index, work] of this.#works.entries()) {
      const untouched = !this.#active.has(index) && (work.state === 'unplanned' || left.has(index));
      if (untouched) this.#park(index, reason.code, notTried(reason));
    }
    for (const { index } of [...this.#stretches]) this.#park(index, reason.code, notTried(reason));
  }

  #mustStop(): boolean {
    if (this.#end === undefined && this.#options.replaced()) this.#stop('snapshot replaced');
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    // Others may still be at work; what they do counts.
    if (continueAsNewSuggested || historyLength >= this.#options.eventsPerRun) this.#end ??= 'handover';
    return this.#end !== undefined;
  }

  #stop(end: 'snapshot lost' | 'snapshot replaced'): void {
    if (this.#end === 'snapshot lost' || this.#end === 'snapshot replaced') return;
    this.#end = end;
    // No two activities may bring one split to two snapshots.
    this.#scope.cancel();
  }
}

function broughtOn(
  work: PlannedWork,
  range: SplitRange,
  { rows, textBytes, fileBytes, snapshot }: StretchResult,
  shared: SourceSnapshot | undefined,
): PlannedWork {
  const { figures } = work;
  return {
    ...work,
    done: withRange(work.done, range),
    figures: {
      rows: figures.rows + rows,
      textBytes: figures.textBytes + textBytes,
      fileBytes: figures.fileBytes + fileBytes,
    },
    ...(shared === undefined ? { snapshot } : {}),
  };
}

function splitsLeft([from, to]: SplitRange, parked: readonly ParkedSplit[]): boolean {
  return parked.filter(({ split }) => split >= from && split < to).length < to - from;
}

function canParkSplit(work: PlannedWork, reason: FailureReason): reason is FailureReason & { readonly split: number } {
  const { split } = reason;
  if (split === undefined || split < 0 || split >= work.splits) return false;
  return work.parked.length < MOST_PARKED_SPLITS && !work.parked.some((parked) => parked.split === split);
}
