import { z } from 'zod';
import type { JobContract } from '../job/job-contract.ts';
import type { QueueName } from '../job/task-queues.ts';

/** Input of `compactReadings`; `{}` compacts what has come since the last time. */
export const compactionInput = z.strictObject({
  /** Do nothing while fewer files than this have come. */
  minFiles: z.int().min(1).max(1_000_000).default(1),
});
export type CompactionInput = z.output<typeof compactionInput>;

const count = z.int().nonnegative();

/** Up to which offset, inclusive, a partition's readings are compacted. */
const boundary = z.object({
  partition: count,
  lastOffset: count,
  /** As it was before; absent when nothing was. */
  previousOffset: count.optional(),
});

/** Result of `compactReadings`. */
export const compactionResult = z.object({
  /** `up-to-date`: fewer files have come than the input asks for. */
  outcome: z.enum(['compacted', 'up-to-date']),
  topic: z.string(),
  /** Number of the snapshot that the views show. */
  snapshot: count,
  boundary: z.array(boundary),
  /** Raw files that came to it. */
  files: count,
  bytes: count,
  /** Readings in these files. */
  readings: count,
  /** Of these, written in another than the usual form, and read by the slower way. */
  otherForms: count,
  /** Of those, that cannot be read. */
  unreadable: count,
  /** Of the readings, that were there before. */
  duplicates: count,
  /** Days (UTC) that were written anew; of very many the first. */
  days: z.array(z.string()),
  rewritten: z.object({ days: count, readings: count, files: count, bytes: count }),
  /** All days together. */
  compacted: z.object({ days: count, readings: count, files: count, bytes: count, sum: z.string() }),
  durationMs: count,
});
export type CompactionResult = z.output<typeof compactionResult>;

export const COMPACTION_PHASES = ['planning', 'reading', 'writing days', 'publishing', 'ended'] as const;

/** Answer to the query `progress` of `compactReadings`. */
export const compactionProgress = z.object({
  phase: z.enum(COMPACTION_PHASES),
  files: count,
  bytes: count,
  readings: count,
  daysDone: count,
  days: count,
});
export type CompactionProgress = z.output<typeof compactionProgress>;

/** One compaction, the same in every activity. */
export interface CompactionRun {
  /** Names its directory in HDFS and its tables; letters, digits and underscores. */
  readonly id: string;
  readonly input: CompactionInput;
}

/** What there is to do; the list of files lies in HDFS. */
export interface PlannedCompaction {
  readonly isUpToDate: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly readings: number;
}

export interface ReadCompaction {
  readonly days: number;
  /** Days are written in so many parts. */
  readonly batches: number;
}

export interface BatchRequest {
  readonly run: CompactionRun;
  readonly batch: number;
}

export interface WrittenBatch {
  readonly days: number;
}

export interface CompactionPublishRequest {
  readonly run: CompactionRun;
  readonly startedMs: number;
}

export interface PublishedCompaction {
  /** Absent: another compaction was published since this one was planned. */
  readonly result?: CompactionResult;
}

export interface CompactionDiscardRequest {
  readonly run: CompactionRun;
  /** A statement may have been ended before its end, and write on for a moment. */
  readonly isInterrupted: boolean;
}

/** What the views of readings show. */
export interface ShownReadings {
  readonly snapshot: number;
  readonly compactedTo: readonly { readonly partition: number; readonly lastOffset: number }[];
  readonly shownTo: readonly { readonly partition: number; readonly lastOffset: number }[];
  /** Committed files that came to them. */
  readonly newFiles: number;
}

/** What `compactReadings` asks of its activities. Paths and figures, never readings. */
export interface CompactionActivities {
  planCompaction(run: CompactionRun): Promise<PlannedCompaction>;
  readCompaction(run: CompactionRun): Promise<ReadCompaction>;
  compactDays(request: BatchRequest): Promise<WrittenBatch>;
  publishCompaction(request: CompactionPublishRequest): Promise<PublishedCompaction>;
  discardCompaction(request: CompactionDiscardRequest): Promise<void>;
  /** Lets `readings_raw` and `readings_all` show what is committed now; for every job that reads them. */
  refreshReadings(): Promise<ShownReadings>;
}

export const compactionContract = {
  workflowType: 'compactReadings',
  summary: 'write the small files of readings together, a few per day, each reading once',
  input: compactionInput,
  example: { minFiles: 100 },
  progress: compactionProgress,
  result: compactionResult,
  activities: {
    planCompaction: 'jobs',
    readCompaction: 'jobs',
    compactDays: 'jobs',
    publishCompaction: 'jobs',
    discardCompaction: 'jobs',
    refreshReadings: 'jobs',
  } satisfies Readonly<Record<keyof CompactionActivities, QueueName>>,
  schedule: { variables: 'NIGHTLY_COMPACTION', timeZoneMemo: 'timeZone' },
} as const satisfies JobContract<typeof compactionInput, typeof compactionProgress, typeof compactionResult>;
