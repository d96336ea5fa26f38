import {
  ApplicationFailure,
  CancelledFailure,
  condition,
  isCancellation,
  log,
  workflowInfo,
} from '@temporalio/workflow';
import type { ImportRun, OpenedImport } from './activity-contract.ts';
import type { ImportPhase, ImportProgress, ImportSummary } from './contract.ts';
import type { SourceSnapshot, TableId } from '../../grid/history/sql-source.ts';
import { JobProgress } from '../job/job-progress.ts';
import { discardWork, openImport } from './activity-calls.ts';
import { failureReason, isOutage } from '../job/failure-reason.ts';
import { withFoundTables } from './import-run.ts';
import type { ProgressDelta } from './messages.ts';
import { packTables, unpackTable, type PackedTable } from './packed-tables.ts';
import { CopyPhase, publishPhase } from './phases.ts';
import { ProgressBoard } from './progress-board.ts';
import { importText } from './text.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';
import { parkedMessage, refusedMessage, summaryOf } from './summary.ts';
import { parkedOf, progressOf, unplanned, type TableWork } from './table-work.ts';
import { nameOfTable } from '../../grid/history/table-name.ts';

/** Publishing is mostly waiting for Hive. */
const PUBLISHING_LANES = 3;
/** Temporal suggests to continue as new earlier, from 4,096 events or 4 MB on. */
const EVENTS_PER_RUN = 10_000;
/** Memo that lowers {@link EVENTS_PER_RUN}, for tests. */
const EVENTS_PER_RUN_MEMO = 'eventsPerRun';

type Request = Omit<ImportRun, 'source'>;

interface OpenJob {
  readonly run: ImportRun;
  readonly opened: OpenedImport;
}

/** One run of `importSqlHistory`. */
export class ImportJob {
  readonly #request: Request;
  readonly #board: ProgressBoard;
  readonly #progress: JobProgress<ImportProgress>;
  readonly #copying = new CopyPhase();
  readonly #keeper: SnapshotKeeper;
  readonly #startedMs = workflowInfo().startTime.getTime();
  readonly #notes: string[] = [];
  #open: OpenJob | undefined;
  #works: TableWork[] = [];
  /** Places among all tables of those that a child workflow is at work on, by their places in its request. */
  #inWork: readonly number[] = [];
  /** The first that all tables of a round were at. */
  #snapshot: SourceSnapshot | undefined;
  #isRetryAsked = false;
  /** There may be work that a later run can take up. */
  #isResumable: boolean;

  constructor(request: Request) {
    this.#request = request;
    this.#isResumable = request.input.resume !== undefined;
    this.#board = new ProgressBoard(request.runId, this.#startedMs);
    this.#progress = new JobProgress(importText, () => this.#board.progress(Date.now()));
    this.#keeper = new SnapshotKeeper({
      taken: (snapshot) => {
        this.#board.snapshot = snapshot;
        this.#show();
        this.#copying.snapshotTaken(snapshot);
      },
      failed: () => {
        this.#copying.breakOff();
      },
    });
    this.#show();
  }

  snapshotTaken(snapshot: SourceSnapshot): void {
    this.#keeper.took(snapshot);
  }

  async snapshotLost(snapshot: SourceSnapshot): Promise<void> {
    await this.#keeper.lost(snapshot);
  }

  retryAsked(): void {
    this.#isRetryAsked = true;
  }

  tablesProgressed(deltas: readonly ProgressDelta[]): void {
    for (const [at, progress] of deltas) {
      const index = this.#inWork[at];
      if (index !== undefined) this.#board.update(index, progress, Date.now());
    }
    this.#board.sample(Date.now());
    this.#show();
  }

  async run(): Promise<ImportSummary> {
    const open = await this.#openImport();
    for (let part = 1; ; part += 1) {
      await this.#copy(open, part);
      if (part === 1) this.#throwWhenAllAreRefused(open);
      await this.#publish(open, part);
      await this.#discardGone(open);
      const summary = this.#summary(open);
      if (summary.parkedTables === 0) {
        this.#enter('ended');
        return summary;
      }
      const isRetried = open.run.input.onParked === 'wait' && (await this.#untilRetryIsAsked(open));
      if (!isRetried) throw ApplicationFailure.nonRetryable(parkedMessage(summary), 'splits-parked', summary);
      this.#unpark(part);
    }
  }

  /** Cleans up after a run that did not complete. @returns what it fails with */
  async failed(error: unknown, isCancelled: boolean): Promise<unknown> {
    await this.#keeper.release();
    if (this.#open !== undefined && (isCancelled || !this.#isResumable)) await this.#discardAll(this.#open);
    this.#enter('ended');
    if (isCancelled) return isCancellation(error) ? error : new CancelledFailure('The import was cancelled');
    if (error instanceof ApplicationFailure) return error;
    const { code, message } = failureReason(error);
    const cause = error instanceof Error ? error : undefined;
    return ApplicationFailure.create({
      message,
      type: code,
      nonRetryable: true,
      ...(cause === undefined ? {} : { cause }),
    });
  }

  async #openImport(): Promise<OpenJob> {
    const opened = await openImport(this.#request);
    const run = withFoundTables({ ...this.#request, source: opened.source });
    this.#open = { run, opened };
    if (opened.sharedSnapshots && opened.maxConnections < 2) {
      throw ApplicationFailure.nonRetryable(
        `Importing ${opened.product} database ${opened.database} with ${opened.maxConnections} connection: one holds the snapshot, so at least 2 are needed. ` +
          'Raise maxConnections in the input, or HISTORY_MAX_CONNECTIONS.',
        'invalid-input',
      );
    }
    if (opened.tables.length === 0) this.#notes.push('The database has no table that could be imported.');
    this.#works = opened.tables.map(unplanned);
    this.#board.source = opened.source;
    this.#board.database = opened.database;
    this.#board.setTables(opened.tables);
    return this.#open;
  }

  /** Brings all that is unplanned to one snapshot. */
  async #copy({ run, opened }: OpenJob, part: number): Promise<void> {
    const { sharedSnapshots, maxConnections, maxBytesPerSecond } = opened;
    const indices = this.#places((work) => work.state === 'unplanned');
    if (indices.length === 0) return;
    let snapshot: SourceSnapshot | undefined;
    if (sharedSnapshots) {
      this.#enter('waiting for a snapshot');
      this.#keeper.start(run);
      snapshot = await this.#keeper.snapshot();
    }
    this.#enter('copying');
    this.#inWork = indices;
    const request = {
      ...this.#childRequest(run, indices),
      lanes: sharedSnapshots ? maxConnections - 1 : maxConnections,
      named: this.#request.input.tables !== undefined,
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(maxBytesPerSecond === undefined ? {} : { maxBytesPerSecond }),
    };
    this.#isResumable = true;
    try {
      const copied = await this.#copying.run(request, part);
      this.#take(indices, copied.tables);
      this.#noteSnapshot(copied.snapshot);
    } catch (error) {
      throw this.#keeper.hasFailed ? this.#keeper.failure : error;
    }
    // Everything is read.
    await this.#keeper.release();
  }

  async #publish({ run }: OpenJob, part: number): Promise<void> {
    const indices = this.#places((work) => work.state === 'planned' && work.parked.length === 0);
    if (indices.length === 0) return;
    this.#enter('publishing');
    this.#inWork = indices;
    const snapshot = this.#board.snapshot;
    const request = {
      ...this.#childRequest(run, indices),
      lanes: PUBLISHING_LANES,
      ...(snapshot === undefined ? {} : { snapshot }),
    };
    const { tables } = await publishPhase(request, part);
    this.#take(indices, tables);
  }

  #childRequest(run: ImportRun, indices: readonly number[]) {
    const works = indices.map((index) => this.#works[index]).filter((work) => work !== undefined);
    const limit = workflowInfo().memo?.[EVENTS_PER_RUN_MEMO];
    return {
      run,
      tables: packTables(works),
      eventsPerRun: typeof limit === 'number' ? limit : EVENTS_PER_RUN,
      startedMs: Date.now(),
    };
  }

  #places(is: (work: TableWork) => boolean): readonly number[] {
    return [...this.#works.entries()].filter(([, work]) => is(work)).map(([index]) => index);
  }

  #take(indices: readonly number[], tables: readonly PackedTable[]): void {
    for (const [at, packed] of tables.entries()) {
      const index = indices[at];
      if (index === undefined) continue;
      const work = unpackTable(packed);
      this.#works[index] = work;
      const { table: _, ...progress } = progressOf(work, false);
      this.#board.update(index, progress, Date.now());
    }
    this.#board.sample(Date.now());
    this.#inWork = [];
    this.#show();
  }

  #noteSnapshot(snapshot: SourceSnapshot | undefined): void {
    this.#board.snapshot = snapshot;
    if (snapshot === undefined) return;
    const { taken } = this.#keeper;
    if (taken > 1) {
      this.#notes.push(
        `The snapshot was lost ${taken === 2 ? 'once' : `${taken - 1} times`}; all tables were brought to one taken later.`,
      );
    }
    if (this.#snapshot === undefined && this.#works.some(({ state }) => state === 'published')) {
      const names = this.#namesOf((work) => work.state === 'published');
      this.#notes.push(`Published by this run before, as of an earlier moment: ${names}.`);
    }
    this.#snapshot ??= snapshot;
  }

  #throwWhenAllAreRefused({ opened }: OpenJob): void {
    const refused = this.#works.filter((work) => work.state === 'parked').filter((work) => work.refused);
    const [first] = refused;
    if (
      first === undefined ||
      !this.#works.every((work) => work.state === 'gone' || (work.state === 'parked' && work.refused))
    ) {
      return;
    }
    if (isOutage(first.code)) {
      if (this.#request.input.onParked === 'wait') return;
    } else this.#isResumable = false;
    const parked = refused.map(parkedOf).filter((table) => table !== undefined);
    throw ApplicationFailure.nonRetryable(refusedMessage(opened, parked), first.code);
  }

  #unpark(part: number): void {
    const indices = this.#places((work) => parkedOf(work) !== undefined);
    const names = this.#namesOf((work) => parkedOf(work) !== undefined);
    this.#notes.push(`Done at try ${part + 1}, as of a later moment than the others: ${names}.`);
    for (const index of indices) {
      const work = this.#works[index];
      if (work !== undefined) this.#works[index] = unplanned(work.table);
    }
  }

  async #untilRetryIsAsked({ run }: OpenJob): Promise<boolean> {
    this.#isRetryAsked = false;
    this.#enter('waiting for retryFailed');
    return await condition(() => this.#isRetryAsked, run.input.parkedWaitHours * 3_600_000);
  }

  #summary({ run, opened }: OpenJob): ImportSummary {
    return summaryOf({
      run,
      opened,
      works: this.#works,
      notes: this.#notes,
      ...(this.#snapshot === undefined ? {} : { snapshot: this.#snapshot }),
      durationMs: Date.now() - this.#startedMs,
    });
  }

  async #discardGone({ run }: OpenJob): Promise<void> {
    const tables = this.#works.filter(({ state }) => state === 'gone').map(({ table }) => table);
    if (tables.length > 0) await this.#discard(run, tables);
  }

  async #discardAll({ run }: OpenJob): Promise<void> {
    await this.#discard(run);
  }

  /** What cannot be deleted does no harm: nobody reads it. */
  async #discard(run: ImportRun, tables?: readonly TableId[]): Promise<void> {
    try {
      await discardWork({ run, ...(tables === undefined ? {} : { tables }) });
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('unpublished work was not deleted', { runId: run.runId, error });
    }
  }

  #namesOf(is: (work: TableWork) => boolean): string {
    const names = this.#works.filter(is).map(({ table }) => nameOfTable(table));
    return names.length <= 10 ? names.join(', ') : `${names.slice(0, 10).join(', ')} and ${names.length - 10} more`;
  }

  #enter(phase: ImportPhase): void {
    this.#board.phase = phase;
    this.#show();
  }

  #show(): void {
    this.#progress.show();
  }
}
