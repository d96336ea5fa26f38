/**
 * The port to HDFS: everything the project does there goes through `HdfsClient`. It speaks WebHDFS (REST) and
 * makes it safe: every call is bounded in time, every failure is a `GridError` of the `hdfs-*` family, every file is
 * proven (length and checksum) before its writer calls it written.
 *
 * Paths are absolute and plain (`/topics/a%3Ab/ü.json`); encoding them is done here. `.`, `..`, empty segments and `:`
 * (which HDFS forbids) are refused with `hdfs-refused`.
 */
import type { Readable } from 'node:stream';
import type { GridError } from '../../grid/errors.ts';

/** How to reach a cluster, and how long to wait for it. */
export interface HdfsOptions {
  /**
   * WebHDFS addresses of the NameNodes, `http://host:9870`; one that answers `StandbyException` or not at all is passed
   * over for the next. A path (a gateway's prefix) is used in place of `/webhdfs/v1`.
   */
  readonly nameNodeUrls: readonly string[];
  /** `user.name` of every request (simple authentication). */
  readonly user: string;
  /** Longest wait for one reply of a NameNode, and for a DataNode to open a stream. Default 15 000. */
  readonly callTimeoutMs?: number;
  /**
   * Longest time without progress of a stream that has something to do, the reply to `close()` included; in the middle of a
   * large write it is noticed after one to two such times. Default 30 000.
   */
  readonly idleTimeoutMs?: number;
  /**
   * Tries after the first, of calls that may be repeated. None begins later than `callTimeoutMs` after the first, so a
   * call ends within about (1 + number of NameNodes) × `callTimeoutMs`. Default 4.
   */
  readonly retries?: number;
  /** Delay before the first repetition; it doubles each time, with jitter. Default 100. */
  readonly retryMinDelayMs?: number;
  /** Longest delay between repetitions. Default 2 000. */
  readonly retryMaxDelayMs?: number;
  /** Told of each repetition, for logs and counters. */
  readonly onRetry?: (event: HdfsRetry) => void;
}

/** A call that is about to be repeated. */
export interface HdfsRetry {
  readonly operation: string;
  readonly path: string;
  /** 1 for the first repetition. */
  readonly retry: number;
  readonly error: GridError;
}

/** A file or directory as the NameNode knows it. */
export interface FileStatus {
  /** Absolute path. */
  readonly path: string;
  /** Last segment of the path. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** 0 for a directory; for a file that is being written, what the NameNode knows so far. */
  readonly lengthBytes: number;
  /** 0 for a directory. */
  readonly blockSizeBytes: number;
  readonly replication: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAtMs: number;
  /** The inode: stays the same through renames. */
  readonly fileId: number;
  readonly owner: string;
  readonly group: string;
  /** Octal, as in `755`. */
  readonly permission: string;
}

/** HDFS's own checksum of a file, as GETFILECHECKSUM reports it. */
export interface FileChecksum {
  /** `MD5-of-0MD5-of-512CRC32C` and its kin. */
  readonly algorithm: string;
  /** Lower-case hexadecimal of its bytes. */
  readonly hex: string;
}

/** A file that is proven to lie in HDFS as it was given. */
export interface WrittenFile {
  readonly path: string;
  readonly lengthBytes: number;
  /** `algorithm:hex` as HDFS reports it ({@link FileChecksum}); equal for the same file as long as it is not rewritten. */
  readonly checksum: string;
}

export interface CreateOptions {
  /** Make missing parent directories. Default false: a missing parent is `hdfs-not-found`, which fences earlier owners. */
  readonly createParent?: boolean;
  /** Replace an existing file. Default false: an existing file is `hdfs-already-exists`. */
  readonly overwrite?: boolean;
  /** Block size of the file; the cluster's default when not given. A multiple of 512, usually at least 1 MiB. */
  readonly blockSizeBytes?: number;
  /** Number of replicas; the cluster's default when not given. */
  readonly replication?: number;
}

/** A part of a file. */
export interface ReadRange {
  /** First byte. Default 0. */
  readonly offset?: number;
  /** Number of bytes; by default up to the end. More than there is means up to the end. */
  readonly length?: number;
}

/**
 * One file being written. It holds at most the chunk being written; nothing is buffered.
 *
 * Modes: `open` ⇄ `writing` (a `write()` is under way) → `closing` → `closed`; from any of the first three → `failed`, by an
 * error of the connection or of HDFS, or → `aborted`. A failed writer rejects every later call with the same error. A file
 * that was not closed may stay, whole or in part, at its path: whoever made it deletes it.
 */
export interface HdfsWriter {
  /** The path given to `create()`, also after the directory was renamed. */
  readonly path: string;
  /** Bytes given to `write()` so far. */
  readonly lengthBytes: number;
  /**
   * Sends `chunk`; resolves when the system has taken it: then its memory may be reused and the next one given. One call
   * at a time. Chunks of 64 KiB to 1 MiB cost least.
   *
   * @throws GridError `hdfs-unavailable`, `hdfs-timeout`, `hdfs-no-space`, `fenced` (another client took or deleted the file), …
   */
  write(chunk: Buffer): Promise<void>;
  /**
   * Ends the file, waits for HDFS to confirm it, and compares length and checksum in HDFS with what was written.
   *
   * @throws GridError `hdfs-not-found` when the file is no longer at its path (its directory was renamed or deleted
   * meanwhile), `hdfs-verification-failed` when what lies there is not what was written; otherwise as `write()`.
   */
  close(): Promise<WrittenFile>;
  /** Gives the file up: cuts the connection. Resolves when it is cut; never rejects; harmless when repeated or after `close()`. */
  abort(): Promise<void>;
}

/** A cluster that is ready for work. */
export interface HdfsHealth {
  /** The NameNode that answered as the active one. */
  readonly nameNodeUrl: string;
  /** Undefined when the NameNode does not tell (its `/jmx` is closed or behind a gateway). */
  readonly liveDataNodes: number | undefined;
}

/**
 * What `HdfsClient` offers. All methods reject with `GridError`: `hdfs-unavailable` (refused, reset, 5xx),
 * `hdfs-timeout`, `hdfs-safe-mode`, `hdfs-denied`, `hdfs-not-found`, `hdfs-already-exists`, `hdfs-no-space`, `hdfs-refused`
 * (what HDFS will not do however often it is asked), and `shutting-down` after `close()`.
 */
export interface HdfsPort {
  /**
   * Makes a file and opens it for writing; resolves once the NameNode lists it. Not repeated once a DataNode may have
   * received it. (Of two that make the same file in the same instant the loser may learn of it only from its first `write()` or
   * from `close()`.)
   *
   * @throws GridError `hdfs-not-found`: the parent is missing; `hdfs-already-exists`.
   */
  create(path: string, options?: CreateOptions): Promise<HdfsWriter>;
  /** Writes a small file in one go; verified like {@link HdfsWriter.close}. */
  writeFile(path: string, bytes: Buffer, options?: CreateOptions): Promise<WrittenFile>;
  /**
   * Renames a file or directory; the answer is the NameNode's: false when the source is missing, the destination exists,
   * or its parent is missing. (A destination that is a directory: the source moves into it, as `mv` does.)
   *
   * Never repeated after a NameNode may have received it: on `hdfs-unavailable` and `hdfs-timeout` the outcome is unknown and
   * the caller has to look. (A NameNode that hung may even do it after that look, when it wakes: measured. Only fencing, which
   * takes the source away, rules that out.)
   */
  rename(from: string, to: string): Promise<boolean>;
  /**
   * Deletes. False: there was nothing (or an earlier try, whose reply was lost, has deleted it). A directory that is not
   * empty needs `recursive`, else `hdfs-refused`.
   */
  delete(path: string, options?: { readonly recursive?: boolean }): Promise<boolean>;
  /** Makes a directory and its missing parents; one that exists is fine. A file in its place is `hdfs-already-exists`. */
  makeDirectory(path: string): Promise<void>;
  /** Undefined: nothing there. */
  status(path: string): Promise<FileStatus | undefined>;
  /**
   * The entries of a directory in HDFS's order (by the bytes of the name), fetched in pages, so memory stays flat.
   * Entries that come or go meanwhile may or may not be seen.
   *
   * @throws GridError `hdfs-not-found` at the first entry when the directory is missing; `hdfs-refused` when it is a file.
   */
  list(path: string): AsyncIterable<FileStatus>;
  /** HDFS's checksum of a whole, closed file. */
  checksum(path: string): Promise<FileChecksum>;
  /**
   * Streams a file. Ends only after every byte that the NameNode knew of when it was opened (of a file that is still being
   * written, or was left by a writer that died, that is without the last block); a connection that breaks or falls silent is an
   * `error` of the stream (a `GridError`).
   */
  read(path: string, range?: ReadRange): Promise<Readable>;
  /** A whole small file. More than `maxBytes` is `hdfs-refused`. */
  readFile(path: string, options: { readonly maxBytes: number }): Promise<Buffer>;
  /**
   * Resolves when an active NameNode answers, out of safe mode, with a DataNode alive; one try, no repetition.
   *
   * @throws GridError `hdfs-unavailable`, `hdfs-timeout`, `hdfs-safe-mode`, `hdfs-denied`.
   */
  health(): Promise<HdfsHealth>;
  /** Cuts every call and stream under way (they reject with `shutting-down`) and the idle connections. */
  close(): Promise<void>;
}
