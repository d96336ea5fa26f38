import { z } from 'zod';
import { LEGACY_CLASSES } from '../../grid/legacy/verdict.ts';
import type { JobContract } from '../job/job-contract.ts';
import type { QueueName } from '../job/task-queues.ts';

/** As many contents at most as one replay takes. */
export const MOST_CONTENTS = 5_000;

const moment = z
  .string()
  .max(40)
  .regex(
    /^\d{4}-\d\d-\d\d(?:T.*(?:Z|[+-]\d\d:\d\d))?$/,
    'must be a date (UTC), or a date and time with its offset from UTC',
  )
  .refine((text) => !Number.isNaN(Date.parse(text)), 'is no such moment');

/** Input of `replayLegacyTelemetry`; `{}` replays all telemetry that the catalogue knows. */
export const replayInput = z
  .strictObject({
    /** One file: SHA-256 of its content, or a path under which it was found. */
    file: z.string().min(1).max(20_000).optional(),
    /** All files of a class. */
    class: z.enum(LEGACY_CLASSES).optional(),
    /** Files one of whose paths matches the glob. */
    query: z.strictObject({ path: z.string().min(1).max(1_000) }).optional(),
    /** Seconds of event time that pass in a second, in each file; 0: as fast as it goes. */
    speed: z.number().min(0).max(1e9).default(0),
    /** Readings a second at most, all files together. */
    readingsPerSecond: z.int().min(1).max(1_000_000).default(20_000),
    /** Event times from here on, and before `to`. */
    from: moment.optional(),
    to: moment.optional(),
    /** Only checks the readings and counts them. */
    dryRun: z.boolean().default(false),
  })
  .refine(({ file, class: kind, query }) => [file, kind, query].filter((one) => one !== undefined).length <= 1, {
    message: 'give one of file, class and query',
    path: ['file'],
  });
export type ReplayInput = z.output<typeof replayInput>;

const count = z.int().nonnegative();

const rejectedCount = z.object({ code: z.string(), readings: count, example: z.string() });

/** What became of readings. */
export const replayTally = z.object({
  contents: count,
  /** Sent to Kafka by this run; of a dry run, those that would be. */
  sent: count,
  /** Had been sent before. */
  sentBefore: count,
  /** Not sent, since they cannot be true, or cannot be told in an envelope. */
  rejected: count,
  outOfRange: count,
});
export type ReplayTally = z.output<typeof replayTally>;

export const NOTHING_REPLAYED: ReplayTally = { contents: 0, sent: 0, sentBefore: 0, rejected: 0, outOfRange: 0 };

/** Result of `replayLegacyTelemetry`. */
export const replayResult = replayTally.extend({
  dryRun: z.boolean(),
  /** By code, the most frequent first. */
  reasons: z.array(rejectedCount),
  durationMs: count,
});
export type ReplayResult = z.output<typeof replayResult>;

export const replayProgress = z.object({
  of: z.string(),
  phase: z.enum(['selecting', 'replaying', 'ended']),
  contentsLeft: count,
  tally: replayTally,
});
export type ReplayProgress = z.output<typeof replayProgress>;

export interface ReplayRequest {
  /** SHA-256 of a content. */
  readonly content: string;
  readonly input: ReplayInput;
}

export interface Replayed {
  readonly tally: ReplayTally;
  readonly reasons: ReplayResult['reasons'];
}

/** What `replayLegacyTelemetry` asks of its activities. Hashes and figures, never readings. */
export interface ReplayActivities {
  selectTelemetry(input: ReplayInput): Promise<readonly string[]>;
  replayContent(request: ReplayRequest): Promise<Replayed>;
}

export const replayContract = {
  workflowType: 'replayLegacyTelemetry',
  summary: 'send the readings of legacy files into the stream, each once',
  input: replayInput,
  example: { query: { path: '**/1998/*.csv' }, dryRun: true },
  progress: replayProgress,
  result: replayResult,
  activities: {
    selectTelemetry: 'jobs',
    replayContent: 'jobs',
  } satisfies Readonly<Record<keyof ReplayActivities, QueueName>>,
} as const satisfies JobContract<typeof replayInput, typeof replayProgress, typeof replayResult>;
