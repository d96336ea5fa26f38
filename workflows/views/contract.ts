import { z } from 'zod';
import { RESOLUTIONS } from '../../grid/aggregate/window.ts';
import type { JobContract } from '../job/job-contract.ts';
import type { QueueName } from '../job/task-queues.ts';

/** A day, or a moment with its offset from UTC. */
const moment = z
  .string()
  .regex(
    /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/,
    'must be a date, or a date and time with its offset, such as 2024-03-01 or 2024-03-01T12:00:00Z',
  )
  .refine((text) => !Number.isNaN(Date.parse(text)), 'is no moment of the calendar');

/** Input of `buildBatchViews`; `{}` adds what has come since the last build. */
export const viewsInput = z
  .strictObject({
    /** Compute the windows of the days (UTC) from this one on anew. */
    from: moment.optional(),
    /** … and before this moment, to the end of its day. */
    to: moment.optional(),
    /** Which windows are computed anew by `from`, `to` or `rebuild`; what new readings touch is computed in all. */
    resolutions: z
      .array(z.enum(RESOLUTIONS))
      .min(1)
      .max(RESOLUTIONS.length)
      .default([...RESOLUTIONS]),
    /** Compute all windows anew from master data, and say what differed. */
    rebuild: z.boolean().default(false),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || Date.parse(from) < Date.parse(to), {
    message: 'must be later than from',
    path: ['to'],
  })
  .refine(({ from, to, rebuild }) => !rebuild || (from === undefined && to === undefined), {
    message: 'computes all windows anew: leave out from and to',
    path: ['rebuild'],
  });
export type ViewsInput = z.output<typeof viewsInput>;

const count = z.int().nonnegative();

/** Up to which offset, inclusive, the views hold a partition's readings. */
const boundary = z.object({
  topic: z.string(),
  partition: count,
  lastOffset: count,
  /** As it was before; absent when the partition had none. */
  previousOffset: count.optional(),
});
export type Boundary = z.output<typeof boundary>;

const changedWindow = z.object({
  sensorId: z.string(),
  aspect: z.string(),
  unit: z.string(),
  resolution: z.enum(RESOLUTIONS),
  windowStart: z.iso.datetime(),
  /** `gone`: no reading is in it. */
  change: z.enum(['new', 'changed', 'gone']),
  before: z.object({ count, sum: z.string() }).optional(),
  after: z.object({ count, sum: z.string() }).optional(),
});
export type ChangedWindow = z.output<typeof changedWindow>;

/** Result of `buildBatchViews`. */
export const viewsResult = z.object({
  /** `up-to-date`: nothing has come since the last build that could be added. */
  outcome: z.enum(['published', 'up-to-date']),
  buildId: count.optional(),
  boundary: z.array(boundary),
  rebuild: z.boolean(),
  /** Days (UTC, both included) whose windows were computed; of very many stretches the first. Absent for all days. */
  days: z.array(z.object({ first: z.string(), last: z.string() })).optional(),
  files: count,
  bytes: count,
  /** Readings in these files. */
  readings: count,
  /** Of these, written in another than the usual form, and read by the slower way. */
  otherForms: count,
  /** Of those, that cannot be read, and are in no window. */
  unreadable: count,
  /** Readings in the computed windows, each once. */
  counted: count,
  /** Readings that were there before; absent where files hold readings of days that were not computed. */
  duplicates: count.optional(),
  /** Counted readings whose value is beyond DECIMAL(38,18), so in no sum. */
  inexact: count,
  windows: z.object({ computed: count, new: count, changed: count, gone: count }),
  /** Of the windows that changed, those that no new reading can have touched: they were wrong. */
  mended: count,
  /** The first of the windows that changed. */
  examples: z.array(changedWindow),
  /** What was run in Hive. */
  sql: z.array(z.string()),
  durationMs: count,
});
export type ViewsResult = z.output<typeof viewsResult>;

export const VIEWS_PHASES = ['planning', 'reading', 'adding up', 'publishing', 'ended'] as const;

/** Answer to the query `progress` of `buildBatchViews`. */
export const viewsProgress = z.object({
  phase: z.enum(VIEWS_PHASES),
  rebuild: z.boolean(),
  files: count,
  bytes: count,
  readings: count,
});
export type ViewsProgress = z.output<typeof viewsProgress>;

/** One build, the same in every activity. */
export interface ViewsRun {
  /** Names its directory in HDFS and its tables; letters, digits and underscores. */
  readonly buildId: string;
  /** The workflow's run: what it published is published once. */
  readonly runId: string;
  readonly input: ViewsInput;
}

export interface PlanRequest {
  readonly run: ViewsRun;
  /** Leave out what the windows sink might overtake meanwhile, as it has done before. */
  readonly cautious: boolean;
}

/** What there is to do; the plan itself lies in HDFS. */
export interface PlannedViews {
  readonly isUpToDate: boolean;
  readonly boundary: readonly Boundary[];
  readonly files: number;
  readonly bytes: number;
  readonly readings: number;
  /** Names the try that made the plan: each try works apart, so that one that was given up cannot change what another has made. */
  readonly plan?: string;
}

export interface ReadReadings {
  /** In another than the usual form. */
  readonly otherForms: number;
  readonly unreadable: number;
  /** Names the try that read them. */
  readonly read?: string;
}

/** What has been made so far, by the names of the tries. */
export interface ViewsWork {
  readonly run: ViewsRun;
  readonly plan: string | undefined;
  readonly read?: string | undefined;
}

export interface AddedUp {
  /** Names the try that added up. */
  readonly windows: string;
}

export interface PublishRequest {
  readonly run: ViewsRun;
  readonly plan: string | undefined;
  readonly windows: string | undefined;
  readonly read: ReadReadings;
  readonly startedMs: number;
}

export interface DiscardRequest {
  readonly run: ViewsRun;
  /** A statement may have been ended before its end, and write on for a moment. */
  readonly isInterrupted: boolean;
}

/** What `buildBatchViews` asks of its activities. Paths and figures, never readings. */
export interface ViewsActivities {
  planViews(request: PlanRequest): Promise<PlannedViews>;
  readReadings(work: ViewsWork): Promise<ReadReadings>;
  /** Earlier versions answered nothing. */
  addUpReadings(work: ViewsWork): Promise<AddedUp | undefined>;
  publishViews(request: PublishRequest): Promise<ViewsResult>;
  discardBuild(request: DiscardRequest): Promise<void>;
}

export const viewsContract = {
  workflowType: 'buildBatchViews',
  summary: 'add readings of HDFS up to minutes, hours and days, by Hive SQL, into PostgreSQL',
  input: viewsInput,
  example: { rebuild: true },
  progress: viewsProgress,
  result: viewsResult,
  activities: {
    planViews: 'jobs',
    readReadings: 'jobs',
    addUpReadings: 'jobs',
    publishViews: 'jobs',
    discardBuild: 'jobs',
  } satisfies Readonly<Record<keyof ViewsActivities, QueueName>>,
  schedule: { variables: 'NIGHTLY_VIEWS', timeZoneMemo: 'timeZone' },
} as const satisfies JobContract<typeof viewsInput, typeof viewsProgress, typeof viewsResult>;
