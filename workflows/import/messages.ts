/** What the workflows of one import tell each other, and the signals that come from outside. */
import { defineSignal } from '@temporalio/workflow';
import { z } from 'zod';
import type { ImportRun, SnapshotTaken } from './activity-contract.ts';
import { sourceSnapshot, type SourceSnapshot } from '../../grid/history/sql-source.ts';
import { tableStanding } from './contract.ts';
import type { PackedTable } from './packed-tables.ts';

/** From the keeper to `importSqlHistory`, which passes it on to `copyTables`. */
export const snapshotTaken = defineSignal<[SnapshotTaken]>('snapshotTaken');

/** From `copyTables` and `publishTables` to `importSqlHistory`. */
export const tablesProgressed = defineSignal<[readonly ProgressDelta[]]>('tablesProgressed');
/** From `copyTables` to `importSqlHistory`: the source does not know the snapshot any more. */
export const snapshotLost = defineSignal<[SourceSnapshot]>('snapshotLost');

/** How a table stands, by its place in the request. */
const progressDelta = z.tuple([z.int(), tableStanding]).readonly();
export type ProgressDelta = z.output<typeof progressDelta>;

/** What the signals carry. */
export const signalPayloads = {
  snapshotTaken: z.object({ snapshot: sourceSnapshot }),
  snapshotLost: sourceSnapshot,
  tablesProgressed: z.array(progressDelta),
} as const;

interface TablesRequest {
  readonly run: ImportRun;
  readonly tables: readonly PackedTable[];
  /** Activities at once. */
  readonly lanes: number;
  /** Continue as new when the history has so many events, if not earlier. */
  readonly eventsPerRun: number;
  /** When the first of the continued runs began, epoch ms. */
  readonly startedMs: number;
}

export interface CopyRequest extends TablesRequest {
  /** Absent where snapshots are not shared. */
  readonly snapshot?: SourceSnapshot;
  readonly maxBytesPerSecond?: number;
  /** The tables were asked for by name, so each must be there. */
  readonly named: boolean;
}

export interface CopyResult {
  /** In the order of the request; each is unchanged, published before, parked, gone, or planned with all splits done but parked ones. */
  readonly tables: readonly PackedTable[];
  /** The one that all are at. Absent where snapshots are not shared. */
  readonly snapshot?: SourceSnapshot;
}

export interface PublishRequest extends TablesRequest {
  readonly snapshot?: SourceSnapshot;
}

export interface PublishResult {
  /** In the order of the request; each is published or parked. */
  readonly tables: readonly PackedTable[];
}
