import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';

const count = z.int().nonnegative();

export const committedFile = z.strictObject({
  /** Where the file was written before the commit. */
  temporaryPath: z.string().startsWith('/'),
  /** Where it lies from the commit on. */
  path: z.string().startsWith('/'),
  lengthBytes: count,
  /** `algorithm:hex`, HDFS's own checksum of the file. */
  checksum: z.string().min(1),
  records: z.int().positive(),
  firstOffset: count,
  lastOffset: count,
  /** Event times of the file's readings, epoch milliseconds; null for text, which has none. */
  eventTimeMinMs: z.int().nullable(),
  eventTimeMaxMs: z.int().nullable(),
});

const commitRecordSchema = z.strictObject({
  version: z.literal(1),
  topic: z.string(),
  partition: count,
  /** The range that this commit covers, both ends included; the next record begins at lastOffset + 1. */
  firstOffset: count,
  lastOffset: count,
  /** Records of the range that lie in its files. */
  records: count,
  /** Records that cannot be read; the router keeps them in the dead-letter topic. */
  unreadable: count,
  /** Records whose route has HDFS switched off. */
  notRouted: count,
  /** Offsets of the range that hold no record: compacted, aborted, control records, or gone before the first start. */
  missing: count,
  /** Offsets that retention removed before they were read: a loss. */
  expired: count,
  owner: z.string(),
  committedAt: z.iso.datetime(),
  files: z.array(committedFile),
});

/**
 * One entry of a partition's commit log. Its name is fixed by the partition and its first offset, so that of two writers
 * that commit the same range one loses; what it names is published, nothing else is.
 */
export type CommitRecord = z.output<typeof commitRecordSchema>;
export type CommittedFile = z.output<typeof committedFile>;

const checkpointSchema = z.strictObject({
  version: z.literal(1),
  firstOffset: count,
  lastOffset: count,
  commits: z.array(commitRecordSchema),
});

/** Commit records folded into one file, oldest first and without a hole. */
export type Checkpoint = z.output<typeof checkpointSchema>;

export function encodeCommitRecord(record: CommitRecord): Buffer {
  return Buffer.from(`${JSON.stringify(record)}\n`);
}

export function encodeCheckpoint(checkpoint: Checkpoint): Buffer {
  return Buffer.from(`${JSON.stringify(checkpoint)}\n`);
}

/** @throws GridError `commit-log-corrupt`: the log is never guessed at. */
export function decodeCommitRecord(bytes: Buffer, path: string): CommitRecord {
  return decode(bytes, path, commitRecordSchema);
}

/** @throws GridError `commit-log-corrupt` */
export function decodeCheckpoint(bytes: Buffer, path: string): Checkpoint {
  return decode(bytes, path, checkpointSchema);
}

function decode<T>(bytes: Buffer, path: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw new GridError(
      'commit-log-corrupt',
      `Reading the commit log entry ${path}: ${error instanceof Error ? error.message : String(error)}. Nothing more is written to this partition until the entry is restored; its data files are untouched.`,
      { cause: error },
    );
  }
}
