import { createHash } from 'node:crypto';
import { z } from 'zod';
import { telemetryMapping, type TelemetryMapping } from '../../../workflows/import/input.ts';
import type { SourceSnapshot, TablePlan } from '../../../grid/history/sql-source.ts';

/** What a run has decided on a table, kept as JSON in its work directory. */
export interface WorkPlan {
  /** {@link planIdOf} `plan`: records of another plan mean other splits. */
  readonly planId: string;
  readonly plan: TablePlan;
  /** `full` replaces, `append` adds, `merge` adds and lets later rows win. */
  readonly publishAs: 'full' | 'append' | 'merge';
  readonly product: string;
  readonly database: string;
  readonly fingerprint: string;
  /** The snapshot at which `publishAs` was decided and rows were counted; of a later one, when it was decided again. */
  readonly plannedAt: SourceSnapshot;
  /** Rows of the whole table at `plannedAt`; absent for a full import, whose splits say it. */
  readonly sourceRows?: number;
  /**
   * Run id of the newest commit when it was planned: `append` and `merge` are changes since that one, and may be added to no
   * other. Absent: the table had never been imported.
   */
  readonly basedOn?: string;
  /** Cursor column in use, and its highest value among the rows of `plan`. */
  readonly cursor?: string;
  readonly cursorValue?: string;
  readonly telemetry?: TelemetryMapping;
  /** Sentences for the summary: why it is published in another way than asked for. */
  readonly notes: readonly string[];
  /** Milliseconds since the epoch: until then no later import deletes the work, however long nothing was added to it. */
  readonly keepUntilMs: number;
}

/** Names a plan by what splits and their text depend on: planning twice what has not changed gives the same, at whatever snapshots. */
export function planIdOf({ provenAt: _, origin: __, keyless: ___, ...plan }: TablePlan): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
}

/**
 * A fact about a split: its file, as named here by inode, holds the rows of the split at the snapshot. A fact stays true; it
 * is of use as long as that file lies in `data/`.
 */
export interface SplitRecord {
  readonly split: number;
  readonly snapshotId: string;
  readonly position: string;
  readonly takenAt: string;
  readonly rows: number;
  /** Of the text, uncompressed. */
  readonly textBytes: number;
  /** Of the file; 0 without rows. */
  readonly fileBytes: number;
  /** See `SplitDigest`. */
  readonly digest: string;
  /** Whether the text was compared with the database's digests. */
  readonly verified: boolean;
  /** Inode of the file, which renames do not change. Absent: no rows, no file. */
  readonly fileId?: number;
}

const count = z.int().min(0);

const snapshotSchema = z.object({ id: z.string(), position: z.string(), takenAt: z.string() });

/** What the next import compares with, in a plan and in a commit record. */
export const tableOriginSchema = z.object({
  table: z.string(),
  parts: z.array(z.string()),
  definitions: z.array(z.object({ column: z.string(), parts: z.array(z.tuple([z.string(), z.string()])) })),
});

const tablePlanSchema = z.object({
  table: z.object({ schema: z.string(), name: z.string() }),
  columns: z.array(
    z.object({
      name: z.string(),
      sourceType: z.string(),
      hiveType: z.string(),
      expression: z.string(),
      neverNull: z.boolean().exactOptional(),
      provenExpression: z.string().exactOptional(),
    }),
  ),
  remarks: z.array(
    z.object({
      column: z.string(),
      sourceType: z.string(),
      reason: z.string(),
      done: z.enum(['refused', 'kept as text', 'left out']),
    }),
  ),
  key: z.array(z.string()),
  keyless: z.string().exactOptional(),
  identity: z.string(),
  origin: tableOriginSchema.exactOptional(),
  provenAt: z.string().exactOptional(),
  condition: z.string().exactOptional(),
  upperPosition: z.string().exactOptional(),
  splits: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
  estimatedRows: z.number().min(0),
  estimatedBytes: z.number().min(0),
});

/** The plan's JSON. Unknown fields are dropped: an older version may read what a newer one wrote. */
export const workPlanSchema: z.ZodType<WorkPlan> = z.object({
  planId: z.string(),
  plan: tablePlanSchema,
  publishAs: z.enum(['full', 'append', 'merge']),
  product: z.string(),
  database: z.string(),
  fingerprint: z.string(),
  plannedAt: snapshotSchema,
  sourceRows: count.exactOptional(),
  basedOn: z.string().exactOptional(),
  cursor: z.string().exactOptional(),
  cursorValue: z.string().exactOptional(),
  telemetry: telemetryMapping.exactOptional(),
  notes: z.array(z.string()),
  keepUntilMs: z.number(),
});

/** A record as it stands in `splits/` and in heartbeat details. */
export const splitRecordSchema: z.ZodType<SplitRecord> = z.object({
  split: count,
  snapshotId: z.string(),
  position: z.string(),
  takenAt: z.string(),
  rows: count,
  textBytes: count,
  fileBytes: count,
  digest: z.string().regex(/^([0-9a-f]{32}|[0-9a-f]{64})?$/),
  verified: z.boolean(),
  fileId: count.exactOptional(),
});

/**
 * Whether what the record says was read at this very snapshot. The time is compared too: after a crash of the database the
 * same id and position might come again. A snapshot that cannot be shared is nobody else's.
 */
export function isAtSnapshot(record: SplitRecord, snapshot: SourceSnapshot): boolean {
  return (
    record.snapshotId === snapshot.id && record.position === snapshot.position && record.takenAt === snapshot.takenAt
  );
}
