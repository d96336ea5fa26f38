import { z } from 'zod';
import type { JobContract } from '../job/job-contract.ts';
import type { QueueName } from '../job/task-queues.ts';

/** Input of `fetchLegacyFile`. */
export const fetchInput = z.strictObject({
  /** SHA-256 of the content, or a path under which it was found, as the catalogue writes it: `file:/…`, `hdfs:/…`; `file:` may be left out. */
  file: z.string().min(1).max(20_000),
  /** Where to write it: an absolute path on the worker's machine, or `hdfs:` and a path. Default: below `HDFS_UNORGANIZED_DIRECTORY`/fetched. */
  to: z
    .string()
    .max(4_000)
    .regex(/^(?:hdfs:)?\/./, 'must be an absolute path of a file, or hdfs: and an absolute path')
    .refine((to) => !to.includes('\0'), 'must have no NUL character')
    .optional(),
});
export type FetchInput = z.output<typeof fetchInput>;

/** Result of `fetchLegacyFile`. */
export const fetchResult = z.object({
  sha256: z.string(),
  bytes: z.int().nonnegative(),
  /** Where it was written, whole and compared. */
  to: z.string(),
  class: z.string(),
  /** The first paths under which it was found. */
  paths: z.array(z.string()),
});
export type FetchResult = z.output<typeof fetchResult>;

export const fetchProgress = z.object({ file: z.string(), to: z.string(), done: z.boolean() });
export type FetchProgress = z.output<typeof fetchProgress>;

export interface FetchActivities {
  fetchFile(input: FetchInput): Promise<FetchResult>;
}

export const fetchContract = {
  workflowType: 'fetchLegacyFile',
  summary: 'give a legacy file back, byte for byte',
  input: fetchInput,
  example: { file: '/mnt/share/report.doc', to: '/tmp/report.doc' },
  progress: fetchProgress,
  result: fetchResult,
  activities: { fetchFile: 'jobs' } satisfies Readonly<Record<keyof FetchActivities, QueueName>>,
} as const satisfies JobContract<typeof fetchInput, typeof fetchProgress, typeof fetchResult>;
