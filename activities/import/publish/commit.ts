import { z } from 'zod';
import { tableOriginSchema } from '../plan/work-plan.ts';
import { SOURCE_NAMES } from '../../../grid/history/sql-source.ts';
import { telemetryMapping } from '../../../workflows/import/input.ts';

const count = z.int().min(0);
const name = z.string().min(1);
const publishedAs = z.enum(['full', 'append', 'merge']);

/** A column as it lies in the files of a run, in their order. */
export const committedColumn = z.object({
  name,
  sourceType: z.string(),
  hiveType: name,
  /** Whether the newest run with these columns has no NULL there. */
  neverNull: z.boolean().exactOptional(),
});
export type CommittedColumn = z.output<typeof committedColumn>;

/** A run that is part of a table. */
export const committedRun = z.object({
  runId: name,
  /** Number of the commit that brought it. */
  seq: z.int().min(1),
  /** {@link segmentName} of the full run that it builds on: its own for a full run. Runs of one generation make up the table together. */
  generation: name,
  mode: publishedAs,
  /** Fingerprint of its columns, a key of `columnLists`. */
  columns: name,
  rows: count,
  /** In HDFS. */
  directory: name,
});
export type CommittedRun = z.output<typeof committedRun>;

/** `<number of its commit, 20 digits>-<run id>`: names a run among all that ever were of its table, and sorts as they came. */
export function segmentName({ seq, runId }: Pick<CommittedRun, 'seq' | 'runId'>): string {
  return `${paddedNumber(seq)}-${runId}`;
}

/** A commit's number with 20 digits, so that names sort as numbers do. */
export function paddedNumber(seq: number): string {
  return String(seq).padStart(20, '0');
}

/**
 * A commit of a table: what it consists of from then on, and up to where it reaches. One file of the commit log; each stands for
 * itself, so the newest is all that a reader needs.
 */
export const importCommit = z.object({
  version: z.literal(1),
  /** 1 for a table's first. */
  seq: z.int().min(1),
  source: z.enum(SOURCE_NAMES),
  table: z.object({ schema: z.string(), name }),
  runId: name,
  workflowId: name,
  workflowRunId: name,
  businessDate: name,
  mode: publishedAs,
  /** All of these and no others are the table, oldest first. */
  runs: z.array(committedRun).min(1),
  /** Of the commit before, and not part of the table any more: kept for queries that began before this commit. */
  retained: z.array(committedRun),
  /** Of earlier commits: to be removed. */
  obsolete: z.array(committedRun),
  /** Of all runs named above, by fingerprint. */
  columnLists: z.record(z.string(), z.array(committedColumn).min(1)),
  /** Names of the primary key's columns; empty without one. */
  key: z.array(name),
  product: z.string(),
  database: z.string(),
  /** The moment that the rows are as of. */
  snapshot: z.object({ id: z.string(), position: z.string(), takenAt: z.string() }),
  /** Rows of the source table at that moment. */
  sourceRows: count,
  /** Where the next incremental import starts. */
  watermark: z.object({
    position: z.string(),
    fingerprint: z.string(),
    cursor: z.string().exactOptional(),
    cursorValue: z.string().exactOptional(),
  }),
  /** What the table was when it was read; absent in records of earlier versions, and where the source tells nothing of the kind. */
  origin: tableOriginSchema.exactOptional(),
  telemetry: telemetryMapping.exactOptional(),
  /** Names of the views in Hive, without their database. */
  hiveTable: name,
  readings: name.exactOptional(),
  /** View of readings that the commit before had, and this one has no more. */
  formerReadings: name.exactOptional(),
  /** Of this run alone. */
  figures: z.object({
    textBytes: count,
    fileBytes: count,
    splits: count,
    digest: z.string(),
    verified: z.boolean(),
    deletedRows: count.exactOptional(),
    remarks: z.array(
      z.object({
        column: z.string(),
        sourceType: z.string(),
        reason: z.string(),
        done: z.enum(['refused', 'kept as text', 'left out']),
      }),
    ),
    notes: z.array(z.string()).default([]),
  }),
  /** ISO, by the worker's clock. */
  committedAt: z.string(),
});
export type ImportCommit = z.output<typeof importCommit>;

/** A run as a commit names it: part of the table, or no more. */
export function runOf(commit: ImportCommit | undefined, runId: string): CommittedRun | undefined {
  if (commit === undefined) return undefined;
  return [...commit.runs, ...commit.retained, ...commit.obsolete].find((run) => run.runId === runId);
}
