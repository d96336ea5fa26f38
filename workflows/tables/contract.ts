import { z } from 'zod';
import type { JobContract } from '../job/job-contract.ts';
import type { QueueName } from '../job/task-queues.ts';

/** The table of texts that is there without being asked for. */
export const DEFAULT_TEXT_TABLE = 'text_files';

/** Names of the tables that have a form of their own. */
const TAKEN_NAMES: ReadonlySet<string> = new Set([
  'text_legacy',
  'telemetry_legacy',
  'readings_imported',
  'readings_raw',
  'readings_all',
]);

const MOST_TABLES = 20;
const MOST_DIRECTORIES = 100;

const textTable = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,99}$/, 'must be lower-case letters, digits and underscores, a letter first')
  .refine((name) => !name.includes('__'), 'must not hold two underscores in a row, as the tables under views do')
  .refine((name) => !TAKEN_NAMES.has(name), 'is the name of a table that shows something else');

/** Hadoop takes some characters for a pattern, and passes over names that begin with `_` or `.`. */
const textDirectory = z
  .string()
  .max(1_000)
  .regex(
    // eslint-disable-next-line no-control-regex -- control characters are what is refused
    /^(?:\/[^/._\s\u0000-\u001f*?[\]{}\\:][^/\u0000-\u001f*?[\]{}\\:]*)+\/?$/,
    'must be the absolute path of an HDFS directory, no part of which begins with _ or . or a space, or holds * ? [ ] { } \\ or a colon',
  )
  .transform((path) => path.replace(/\/$/, ''));

const textDirectories = z
  .array(textDirectory)
  .min(1)
  .max(MOST_DIRECTORIES)
  .refine(
    (paths) => {
      const sorted = paths.map((path) => `${path}/`).sort();
      return !sorted.some((path, at) => sorted[at + 1]?.startsWith(path) === true);
    },
    { message: 'must not name a directory twice, or one that lies in another, since its lines would be there twice' },
  );

/** Input of `buildHiveTables`; `{}` makes all tables, or brings them up to date. */
export const tablesInput = z.strictObject({
  /**
   * Tables of text and the HDFS directories that each shows from now on, all below them included. One that is not named stays as it is;
   * `text_files` is there in any case, at first over the sample texts.
   */
  texts: z
    .record(textTable, textDirectories)
    .refine((texts) => Object.keys(texts).length <= MOST_TABLES, { message: `may name ${MOST_TABLES} tables at most` })
    .default({}),
});
export type TablesInput = z.output<typeof tablesInput>;

const count = z.int().nonnegative();

/** `left out`: nothing is there that it could show; what the table was stays. `refused`: it is another table than it has to be; it stays. */
export const OUTCOMES = ['created', 'evolved', 'mended', 'unchanged', 'left out', 'refused'] as const;

const tableResult = z.object({
  /** `database.table`. */
  name: z.string(),
  outcome: z.enum(OUTCOMES),
  columnsAdded: z.array(z.string()),
  /** What was done, and what is to be known, in sentences. */
  notes: z.array(z.string()),
  /** HDFS directories that it shows, or tables; of very many the first. */
  shows: z.array(z.string()),
  /** In these directories; absent for tables over tables, and where there are too many to be counted. */
  files: count.exactOptional(),
  bytes: count.exactOptional(),
  /** Why it was refused. */
  problem: z.object({ code: z.string(), message: z.string() }).exactOptional(),
});
export type TableResult = z.output<typeof tableResult>;

/** Result of `buildHiveTables`. */
export const tablesResult = z.object({ tables: z.array(tableResult), durationMs: count });
export type TablesResult = z.output<typeof tablesResult>;

/** Answer to the query `progress` of `buildHiveTables`. */
export const tablesProgress = z.object({
  /** What is being worked on. */
  phase: z.string(),
  tables: count,
});
export type TablesProgress = z.output<typeof tablesProgress>;

/** What `buildHiveTables` asks of its activities. Names and figures, never rows. */
export interface TablesActivities {
  ensureTextTables(input: TablesInput): Promise<TableResult[]>;
  ensureLegacyTables(): Promise<TableResult[]>;
  ensureImportedReadings(): Promise<TableResult[]>;
  ensureStreamedReadings(): Promise<TableResult[]>;
}

export const tablesContract = {
  workflowType: 'buildHiveTables',
  summary: 'make tables in Hive over what lies in HDFS, or bring them up to date',
  input: tablesInput,
  example: { texts: { text_files: ['/texts/samples'], manuals: ['/texts/manuals'] } },
  progress: tablesProgress,
  result: tablesResult,
  activities: {
    ensureTextTables: 'jobs',
    ensureLegacyTables: 'jobs',
    ensureImportedReadings: 'jobs',
    ensureStreamedReadings: 'jobs',
  } satisfies Readonly<Record<keyof TablesActivities, QueueName>>,
} as const satisfies JobContract<typeof tablesInput, typeof tablesProgress, typeof tablesResult>;
