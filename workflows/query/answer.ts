import { z } from 'zod';

/** Forms of a result's file: fields separated by TAB, or one JSON object a line. */
export const FORMATS = ['tsv', 'jsonl'] as const;
export type Format = (typeof FORMATS)[number];

const MOST_ROWS = 100_000_000;
const MOST_SECONDS = 86_400;
const DURATION = /^P(?:(\d{1,2})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?$/;

/** Seconds, or a duration of ISO 8601 such as `PT10M`; comes out as seconds. */
const timeLimit = z
  .union([z.number(), z.string().max(40)], { error: 'must be seconds, or a duration such as PT10M' })
  .transform((given) => (typeof given === 'number' ? given : secondsOf(given)))
  .refine((seconds) => seconds > 0 && seconds <= MOST_SECONDS, {
    message: `must be seconds, or a duration such as PT10M, and at most ${MOST_SECONDS} s`,
  });

function secondsOf(text: string): number {
  const parts = DURATION.exec(text);
  if (parts === null) return Number.NaN;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

const hdfsFile = z
  .string()
  .max(2_000)
  .regex(/^(?:\/(?!\.{1,2}(?:\/|$))[^/:]+)+$/, 'must be an absolute HDFS path of a file, without colons, . and ..')
  .refine((path) => path.isWellFormed() && !path.includes('\0'), 'has a character that no path has');

/** What may be asked of every answer of Hive. */
export const answerInput = {
  /** File in HDFS for the rows; nothing may be there. Default: below `HDFS_ANALYSIS_DIRECTORY`, by the workflow's id. */
  resultPath: hdfsFile.optional(),
  format: z.enum(FORMATS).default('tsv'),
  /** Further rows are cut off, and that is told. */
  maxRows: z.int().min(1).max(MOST_ROWS).default(10_000),
  /** Seconds, or a duration such as `PT10M`: then the statement is cancelled in Hive. */
  timeLimit: timeLimit.default(600),
};

const count = z.int().nonnegative();
const cell = z.string().nullable();
const column = z.object({ name: z.string(), type: z.string() });
export type AnswerColumn = z.output<typeof column>;

/** What is told of an answer of Hive: never all of its rows. */
export const answer = z.object({
  /** What was run. */
  sql: z.string(),
  kind: z.enum(['query', 'told', 'write']),
  /** Of very many columns the first. */
  columns: z.array(column),
  columnCount: count,
  rows: count,
  /** There were more rows than `maxRows`. */
  isCut: z.boolean(),
  format: z.enum(FORMATS),
  /** File in HDFS with the rows; null for a statement that gives none. */
  path: z.string().nullable(),
  /** Names and types of the columns, as JSON. */
  schemaPath: z.string().nullable(),
  bytes: count,
  /** The first rows, long fields cut; NULL is null. */
  firstRows: z.array(z.array(cell)),
  /** Tables and views that Hive read, `database.table`. */
  tables: z.array(z.string()),
  startedAt: z.iso.datetime(),
  durationMs: count,
});
export type Answer = z.output<typeof answer>;

/** A run whose statement is asked of Hive, the same in every activity. */
export interface AnswerRun {
  /** Names it in HDFS; letters, digits and dashes. */
  readonly runName: string;
  readonly workflowId: string;
  /** When it began, ISO 8601. */
  readonly startedAt: string;
}

/** What the first look at a statement found. */
export interface Begun {
  readonly sql: string;
  readonly kind: Answer['kind'];
  /** It names tables of readings, which are to be brought up to date first. */
  readonly namesReadings: boolean;
}

/** How a run ended, for the audit. */
export interface Ended {
  readonly outcome: 'completed' | 'failed' | 'cancelled';
  /** Why it failed. */
  readonly reason?: string;
  readonly rows?: number;
}
