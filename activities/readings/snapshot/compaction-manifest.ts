import { z } from 'zod';
import { dayFigures } from '../day-figures.ts';
import { reached } from './snapshot.ts';

const count = z.int().nonnegative();

/** A day's compacted readings. */
export const compactedDay = z.object({
  day: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  /** Where they lie: in the directory of the compaction that wrote them. */
  directory: z.string().startsWith('/'),
  files: z.array(z.object({ name: z.string(), lengthBytes: count })),
  figures: dayFigures,
});
export type CompactedDay = z.output<typeof compactedDay>;

/** What a compaction has. */
export const compactionManifest = z.object({
  version: z.literal(1),
  id: z.string(),
  /** The compaction whose days it took over; null for the first. */
  basedOn: z.string().nullable(),
  writtenAt: z.iso.datetime(),
  upTo: z.array(reached),
  days: z.array(compactedDay),
  /** Where the lists of the raw files lie, and of those with what was read of them by the project's own reader. */
  coveredDirectory: z.string().startsWith('/'),
  othersDirectory: z.string().startsWith('/'),
  /** Raw files that it and those before it cover. */
  coveredFiles: count,
  coveredRecords: count,
  /** Whether there are readings that Hive does not parse itself. */
  hasOthers: z.boolean(),
});
export type CompactionManifest = z.output<typeof compactionManifest>;

/** Paths of a compaction. */
export class CompactionDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get manifest(): string {
    return `${this.path}/compaction.json`;
  }

  get days(): string {
    return `${this.path}/days`;
  }

  /** List of the raw files. */
  get coveredDirectory(): string {
    return `${this.path}/covered`;
  }

  /** List of the files with what was read of them by the project's own reader. */
  get othersDirectory(): string {
    return `${this.path}/others`;
  }

  get segment(): string {
    return `${this.path}/segment`;
  }
}
