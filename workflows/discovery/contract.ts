import { z } from 'zod';
import type { JobContract } from '../job/job-contract.ts';
import type { QueueName } from '../job/task-queues.ts';

/** What became of a file: each that was discovered is counted under exactly one. */
export const OUTCOMES = ['landed', 'duplicate', 'quarantined', 'encrypted', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const glob = z.string().min(1).max(1_000);

/** Input of `discoverLegacyFiles`; `{}` takes the configured share. */
export const discoveryInput = z.strictObject({
  /** A directory that the workers see, or a path in HDFS: `/mnt/share`, `hdfs:/exports`. Default: `LEGACY_SHARE`. */
  root: z
    .string()
    .max(4_000)
    .regex(/^(?:hdfs:)?\//, 'must be an absolute path of a directory, or hdfs: and an absolute path')
    .refine((root) => !root.includes('\0'), 'must have no NUL character')
    .optional(),
  /** Only files whose path below the root matches one of these globs. */
  include: z.array(glob).max(100).default([]),
  /** No files, and no directories, whose path below the root matches one of these. */
  exclude: z.array(glob).max(100).default([]),
  /** Symbolic links that stay below the root are followed; otherwise they are passed over, and told. */
  followSymlinks: z.boolean().default(false),
  /** The crawl ends after so many files. */
  maxFiles: z.int().min(1).optional(),
  /** Only counts what is there and what of it is new. Nothing is read, landed or catalogued. */
  dryRun: z.boolean().default(false),
  /** Units of work under way at once, over all workers. */
  concurrency: z.int().min(1).max(64).default(4),
  /** Files of a unit of work: what is landed, and after a failure repeated, at a time. */
  unitFiles: z.int().min(1).max(5_000).default(500),
  /** Events of history after which the workflow continues as new. */
  eventsPerRun: z.int().min(50).max(40_000).default(10_000),
});
export type DiscoveryInput = z.output<typeof discoveryInput>;

const count = z.int().nonnegative();

/** Files by what became of them; bytes are those of all. */
export const tally = z.object({
  discovered: count,
  bytes: count,
  landed: count,
  duplicate: count,
  quarantined: count,
  encrypted: count,
  failed: count,
  /** Of the discovered: members of archives. */
  members: count,
  /** Of the discovered: known from an earlier crawl and unchanged since, so that they were not read. */
  unchanged: count,
});
export type Tally = z.output<typeof tally>;

export const NO_FILES: Tally = {
  discovered: 0,
  bytes: 0,
  landed: 0,
  duplicate: 0,
  quarantined: 0,
  encrypted: 0,
  failed: 0,
  members: 0,
  unchanged: 0,
};

/** The sum of two tallies. */
export function tallySum(one: Tally, other: Tally): Tally {
  const names = Object.keys(NO_FILES) as (keyof Tally)[];
  return Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) as Tally;
}

const classCount = z.object({ class: z.string(), files: count, bytes: count });
const reasonCount = z.object({ outcome: z.string(), reason: z.string(), files: count, example: z.string() });
const unknownCluster = z.object({
  extension: z.string(),
  format: z.string(),
  files: count,
  bytes: count,
  example: z.string(),
});

/** Result of `discoverLegacyFiles`. */
export const discoveryResult = tally.extend({
  /** Names the crawl in the catalogue. */
  crawl: z.string(),
  root: z.string(),
  dryRun: z.boolean(),
  /** Whether the figures, taken from the catalogue's rows, add up to what was discovered. */
  conserved: z.boolean(),
  /** Links, devices and directories that cannot be read; each has a row with its reason. */
  passedOver: count,
  /** By `include` and `exclude`. */
  excluded: count,
  /** Of a dry run: files that the catalogue does not know as they are. */
  unseen: count,
  /** What landed or was there already, by class; of very many the largest. */
  classes: z.array(classCount),
  /** Why files were quarantined, or failed, or entries were passed over; the most frequent. */
  reasons: z.array(reasonCount),
  /** What nothing could be said of, by extension and format; the most frequent. */
  unknowns: z.array(unknownCluster),
  /** Where the report lies in HDFS. */
  report: z.object({ json: z.string(), html: z.string() }).optional(),
  startedAt: z.iso.datetime(),
  durationMs: count,
});
export type DiscoveryResult = z.output<typeof discoveryResult>;

export const DISCOVERY_PHASES = ['opening', 'crawling', 'checking', 'reporting', 'ended'] as const;

/** Answer to the query `progress` of `discoverLegacyFiles`. */
export const discoveryProgress = z.object({
  root: z.string(),
  phase: z.enum(DISCOVERY_PHASES),
  /** Files found by the listing; members of archives come on top. */
  listed: count,
  listingIsComplete: z.boolean(),
  passedOver: count,
  tally,
  /** Units of work that wait, or are under way. */
  unitsLeft: count,
  startedMs: count,
});
export type DiscoveryProgress = z.output<typeof discoveryProgress>;

/** A crawl, the same in every activity. */
export interface Crawl {
  /** Names its files in HDFS and its rows in the catalogue; letters and digits. */
  readonly crawlId: string;
  /** As `file:/…` or `hdfs:/…`; the configured one until the crawl is opened. */
  readonly root: string;
  readonly input: DiscoveryInput;
}

/** Lists of directories or files in HDFS, numbered from 0; each is a unit of work. */
export interface Lists {
  readonly directory: string;
  readonly count: number;
  /** Names the units, so that what they land has the same name whoever does it. */
  readonly name: string;
}

/** One of them. */
export interface UnitOfWork {
  readonly directory: string;
  readonly index: number;
  readonly name: string;
  /** Look again at all that it names, whatever the catalogue says. */
  readonly again?: boolean;
}

export interface OpenedCrawl {
  readonly root: string;
  readonly directories: Lists;
}

export interface ListRequest {
  readonly crawl: Crawl;
  readonly unit: UnitOfWork;
  /** Number of the call, which names what it lists. */
  readonly listing: number;
  /** Files that may still be listed. */
  readonly mostFiles?: number;
}

export interface Listed {
  readonly directories: Lists;
  readonly files: Lists;
  readonly listed: number;
  readonly bytes: number;
  readonly unseen: number;
  readonly excluded: number;
  readonly passedOver: number;
}

export interface ReportRequest {
  readonly crawl: Crawl;
  readonly listed: number;
  readonly bytes: number;
  readonly unseen: number;
  readonly excluded: number;
  readonly unchanged: number;
  readonly startedMs: number;
}

/** What `discoverLegacyFiles` asks of its activities. Paths of lists and figures, never names of files. */
export interface DiscoveryActivities {
  openCrawl(crawl: Crawl): Promise<OpenedCrawl>;
  listDirectories(request: ListRequest): Promise<Listed>;
  landFiles(request: { readonly crawl: Crawl; readonly unit: UnitOfWork }): Promise<Tally>;
  /** Files whose bytes were to be landed by somebody who did not come to it. */
  findUnlanded(request: { readonly crawl: Crawl; readonly round: number }): Promise<Lists>;
  reportCrawl(request: ReportRequest): Promise<DiscoveryResult>;
  discardCrawl(crawl: Crawl): Promise<void>;
}

export const discoveryContract = {
  workflowType: 'discoverLegacyFiles',
  summary: 'find legacy files, say what they are, and land them in HDFS',
  input: discoveryInput,
  example: { root: '/mnt/share', exclude: ['**/.snapshot/**'] },
  progress: discoveryProgress,
  result: discoveryResult,
  activities: {
    openCrawl: 'jobs',
    listDirectories: 'jobs',
    landFiles: 'jobs',
    findUnlanded: 'jobs',
    reportCrawl: 'jobs',
    discardCrawl: 'jobs',
  } satisfies Readonly<Record<keyof DiscoveryActivities, QueueName>>,
} as const satisfies JobContract<typeof discoveryInput, typeof discoveryProgress, typeof discoveryResult>;
