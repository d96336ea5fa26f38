import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ReadingsDependencies } from '../readings/dependencies.ts';
import { dayFigures } from '../readings/day-figures.ts';
import { ReadingsDirectory } from '../readings/readings-directory.ts';
import { SegmentDirectory } from '../readings/segment/read-segment.ts';
import { CompactionDirectory, compactedDay } from '../readings/snapshot/compaction-manifest.ts';
import { reached } from '../readings/snapshot/snapshot.ts';

const count = z.int().nonnegative();

/** Names what one try of an activity works with: one that was given up for dead may work on beside the next. */
export function newTry(): string {
  return randomBytes(4).toString('hex');
}

/** What a compaction is about to do. */
export const planFile = z.object({
  /** The compaction whose days it takes over. */
  basedOn: z.string().nullable(),
  previous: z.array(reached),
  upTo: z.array(reached),
  isUpToDate: z.boolean(),
  files: count,
  bytes: count,
  records: count,
  placing: z.string(),
  /** Where the list of the files lies. */
  linksDirectory: z.string().startsWith('/'),
});
export type CompactionPlan = z.output<typeof planFile>;

/** What came to each day, and in which parts the days are written. */
export const readFile = z.object({
  /** The try that read it: names its tables and its directory. */
  segment: z.string(),
  otherForms: count,
  unreadable: count,
  batches: z.array(z.array(z.object({ day: z.string(), figures: dayFigures }))),
});

/** Days as a batch has written them. */
export const batchFile = z.object({ days: z.array(compactedDay), duplicates: count });

/** Paths of what the activities of one compaction tell each other. */
export class CompactionWork {
  readonly compaction: CompactionDirectory;

  constructor(deps: ReadingsDependencies, id: string) {
    this.compaction = new CompactionDirectory(new ReadingsDirectory(deps).compaction(id));
  }

  links(attempt: string): string {
    return `${this.directory}/links/${attempt}`;
  }

  segment(attempt: string, linksDirectory?: string): SegmentDirectory {
    return new SegmentDirectory(`${this.compaction.segment}/${attempt}`, linksDirectory);
  }

  /** Days that one try of a batch writes. */
  days(attempt: string): string {
    return `${this.compaction.days}/${attempt}`;
  }

  get directory(): string {
    return `${this.compaction.path}/work`;
  }

  get plan(): string {
    return `${this.directory}/plan.json`;
  }

  get read(): string {
    return `${this.directory}/read.json`;
  }

  batch(number: number): string {
    return `${this.directory}/batch-${number}.json`;
  }

  /** Where Hive says what it kept of each day, and what it dropped. */
  figuresDirectory(attempt: string): string {
    return `${this.directory}/figures/${attempt}`;
  }
}
