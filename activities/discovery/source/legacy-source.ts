/** What a listing of a directory tells of an entry. */
export interface SourceEntry {
  /** Its name as text, see `grid/legacy/path-text.ts`. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'special';
  /** Of what is special: `pipe`, `socket`, `device`. */
  readonly special?: string;
}

/** A state of a file. */
export interface FileStamp {
  readonly size: number;
  readonly modifiedAtMs: number;
  /** Tells this state from every other one. */
  readonly text: string;
}

/** A file as it was read, whole. */
export interface SpooledFile {
  readonly sha256: string;
  readonly stamp: FileStamp;
  /** The bytes, when they are few. */
  readonly bytes?: Buffer;
}

/** Where a symbolic link leads. */
export type LinkTarget =
  | { readonly type: 'file' }
  /** @property identity the same for the same directory by whatever path */
  | { readonly type: 'directory'; readonly identity: string }
  | { readonly type: 'nowhere'; readonly reason: string };

/**
 * A share that is crawled. It is only read. Paths are text, relative to its root, their names as in `grid/legacy/path-text.ts`; the root
 * itself is the empty path.
 *
 * What is wrong with one file or directory is a {@link SourceProblem}; a share that cannot be reached at all is a GridError.
 */
export interface LegacySource {
  /** `file:/…` or `hdfs:/…`, without a slash at its end. */
  readonly root: string;
  /** Entries in whatever order, none held back. */
  list(directory: string): AsyncIterable<SourceEntry>;
  stamp(path: string): Promise<FileStamp>;
  /** Copies a file to a place on this machine, and makes sure that it is one state of it. */
  spool(path: string, to: string, signal: AbortSignal): Promise<SpooledFile>;
  /** Where a link leads; only what stays below the root is a target. */
  follow(path: string): Promise<LinkTarget>;
  /** Tells a directory from all others. */
  identity(directory: string): Promise<string>;
}

/** Why nothing could be had of a file or directory. */
export class SourceProblem extends Error {
  override readonly name = 'SourceProblem';
  readonly reason: ProblemReason;

  constructor(reason: ProblemReason, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.reason = reason;
  }
}

export const PROBLEM_REASONS = [
  /** It was listed, and was gone when it was looked at. */
  'vanished',
  /** Rights are missing. */
  'unreadable',
  /** It was changed each time while it was read. */
  'changing',
  /** It is none any more: a link, pipe, device or directory lies in its place. */
  'not-a-file',
  /** Larger than what is taken. */
  'too-large',
  /** The system's answer to reading it. */
  'read-error',
] as const;
export type ProblemReason = (typeof PROBLEM_REASONS)[number];

/** Longest file whose bytes are handed on in memory, and that goes into a pack: shorter than this. */
export const SMALL_FILE_BYTES = 1 << 20;
/** A file that changes while it is read is read again so often. */
export const MOST_READS = 3;
