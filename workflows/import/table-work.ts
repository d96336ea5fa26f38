import type { PlannedTable, TableResult } from './activity-contract.ts';
import type { ParkedTable, TableProgress } from './contract.ts';
import type { SourceSnapshot, TableId } from '../../grid/history/sql-source.ts';
import { splitsIn, type SplitRange } from './split-ranges.ts';

export type PublishAs = Extract<PlannedTable, { kind: 'planned' }>['publishAs'];

/** What is known of splits that are done. */
export interface Figures {
  readonly rows: number;
  readonly textBytes: number;
  readonly fileBytes: number;
}

export interface ParkedSplit {
  readonly split: number;
  readonly code: string;
  readonly reason: string;
}

/**
 * Where a table stands in an import.
 *
 *     unplanned → planned → published
 *               ↘ unchanged
 *     any       → parked    something fails for good
 *     any       → gone      it was dropped, and nobody had asked for it by name
 *     planned, unchanged → unplanned   there is a new snapshot: all is looked at again
 */
export type TableWork =
  | {
      readonly state: 'unplanned';
      readonly table: TableId;
      /** Parked before, of a plan of so many splits. */
      readonly parked: readonly ParkedSplit[];
      readonly splits: number;
    }
  | PlannedWork
  | { readonly state: 'unchanged'; readonly table: TableId; readonly rows: number }
  | {
      readonly state: 'published';
      readonly table: TableId;
      readonly splits: number;
      readonly figures: Figures;
      /** Left out where there are too many for one payload. */
      readonly result?: TableResult;
    }
  | ({ readonly state: 'parked'; /** Nothing of it was read. */ readonly refused: boolean } & ParkedTable)
  | { readonly state: 'gone'; readonly table: TableId; readonly reason: string };

/** A table of which all splits are done when `done` and `parked` cover them; it can be published when none is parked. */
export interface PlannedWork {
  readonly state: 'planned';
  readonly table: TableId;
  readonly publishAs: PublishAs;
  readonly splits: number;
  readonly estimatedRows: number;
  /** Ranges that are at the snapshot; parked splits within are not. */
  readonly done: readonly SplitRange[];
  readonly figures: Figures;
  /** In order of their numbers. */
  readonly parked: readonly ParkedSplit[];
  /** Of this table alone, where snapshots are not shared. */
  readonly snapshot?: SourceSnapshot;
}

export const NO_FIGURES: Figures = { rows: 0, textBytes: 0, fileBytes: 0 };

export function unplanned(table: TableId): TableWork {
  return { state: 'unplanned', table, parked: [], splits: 0 };
}

/** What a new snapshot leaves of it: everything else must be looked at again. Parked splits stay parked while the plan holds. */
export function startedOver(work: TableWork): TableWork {
  if (work.state === 'planned') {
    return { state: 'unplanned', table: work.table, parked: work.parked, splits: work.splits };
  }
  return work.state === 'unchanged' ? unplanned(work.table) : work;
}

export function planned(work: Extract<TableWork, { state: 'unplanned' }>, plan: PlannedTable): TableWork {
  const { table } = work;
  switch (plan.kind) {
    case 'planned':
      return {
        state: 'planned',
        table,
        publishAs: plan.publishAs,
        splits: plan.splits,
        estimatedRows: plan.estimatedRows,
        done: [],
        figures: NO_FIGURES,
        parked: plan.splits === work.splits ? work.parked : [],
      };
    case 'unchanged':
      return { state: 'unchanged', table, rows: plan.rows };
    case 'published':
      return published(plan.result);
  }
}

export function published(result: TableResult): TableWork {
  const { table, splits, rows, textBytes, fileBytes } = result;
  return { state: 'published', table, splits, figures: { rows, textBytes, fileBytes }, result };
}

/** What is reported as parked of it, if anything. */
export function parkedOf(work: TableWork): ParkedTable | undefined {
  if (work.state === 'parked') {
    return { table: work.table, code: work.code, reason: work.reason, splits: work.splits };
  }
  if (work.state !== 'planned') return undefined;
  const [first] = work.parked;
  if (first === undefined) return undefined;
  const splits = work.parked.map(({ split }) => split);
  return { table: work.table, code: first.code, reason: first.reason, splits };
}

/** @param active an activity is at work on it */
export function progressOf(work: TableWork, active: boolean): TableProgress {
  const { table } = work;
  const none = { table, splits: 0, splitsDone: 0, estimatedRows: 0, rows: 0, textBytes: 0 };
  switch (work.state) {
    case 'unplanned':
      return { ...none, state: 'waiting' };
    case 'planned': {
      const { splits, estimatedRows, figures, parked } = work;
      const covered = splitsIn(work.done);
      const splitsDone =
        covered - parked.filter(({ split }) => work.done.some(([a, b]) => a <= split && split < b)).length;
      const [first] = parked;
      const state =
        first !== undefined ? 'parked' : covered === splits ? 'copied' : active || covered > 0 ? 'copying' : 'planned';
      return {
        table,
        state,
        splits,
        splitsDone,
        estimatedRows,
        rows: figures.rows,
        textBytes: figures.textBytes,
        ...(first === undefined ? {} : { reason: `${first.code}: ${first.reason}` }),
      };
    }
    case 'unchanged':
      return { ...none, state: 'unchanged', estimatedRows: 0, rows: 0 };
    case 'published': {
      const { splits, figures } = work;
      const { rows, textBytes } = figures;
      return { table, state: 'published', splits, splitsDone: splits, estimatedRows: rows, rows, textBytes };
    }
    case 'parked':
      return { ...none, state: 'parked', reason: `${work.code}: ${work.reason}` };
    case 'gone':
      return { ...none, state: 'gone', reason: work.reason };
  }
}
