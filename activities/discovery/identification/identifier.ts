import type { Verdict } from '../../../grid/legacy/verdict.ts';

/** Looks at files in child processes that are recycled, with limits of memory, CPU and wall time and output; one hostile file costs one answer. */
export interface Identifier {
  /**
   * @param signal its abortion ends the look, with the child that does it
   * @throws the signal's reason; GridError `worker-failed`: no child process can be started, so nothing is said about the file
   */
  identify(request: IdentificationRequest, signal: AbortSignal): Promise<Identification>;
  /** Ends the child processes; looks that are still going on fail. */
  close(): Promise<void>;
}

export interface IdentificationRequest {
  /** A local regular file. */
  readonly path: string;
  /** The name under which it was found: evidence of low weight. */
  readonly name: string | undefined;
  /** An empty directory for what comes out of it (members of archives, extracted text); the caller deletes it. */
  readonly workDirectory: string;
  readonly budget: Budget;
}

/** Shared by all descendants of one file from the share; `used` of one answer is to be taken off before the next look. */
export interface Budget {
  /** How many archives may still lie in each other: 0, and members are not extracted. */
  readonly depth: number;
  /** Bytes that may still be extracted, counted as they come out. */
  readonly bytes: number;
  /** Members of archives that may still be read. */
  readonly entries: number;
}

export type Identification =
  | {
      readonly state: 'identified';
      readonly verdict: Verdict;
      /** Extracted text, UTF-8 with line feeds, in the work directory. */
      readonly textPath?: string;
      /** Normalised rows for Hive, NDJSON in the work directory; see telemetry-rows.ts. */
      readonly telemetryPath?: string;
      readonly members: readonly Member[];
      readonly used: Budget;
      /** Equal for the same text in another encoding or line ending. */
      readonly contentKey?: string;
    }
  | {
      readonly state: 'quarantined';
      readonly reason: QuarantineReason;
      /** What happened, a clause for people. */
      readonly detail: string;
      readonly members: readonly Member[];
      readonly used: Budget;
    };

/** Why nothing is said about a file: what its look did, or that it cannot be read. */
export const QUARANTINE_REASONS = [
  /** The child process ended, twice. */
  'crash',
  /** It took more memory than it may. */
  'memory',
  'cpu-time',
  'wall-time',
  /** It wrote or answered more than it may. */
  'output',
  /** It cannot be opened or read: rights, a defective disk. */
  'unreadable',
  /** It was gone, shorter or longer when it was read. */
  'changed',
] as const;
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

export interface Member {
  /** Name in the archive, printable: other characters are escaped. */
  readonly name: string;
  /** The extracted file, in the work directory. */
  readonly path?: string;
  /** Why it was not extracted. */
  readonly refused?: Refusal;
  /** What is to say about it, a clause for people. */
  readonly detail?: string;
  /** As the archive declares it, epoch ms. */
  readonly modifiedMs?: number;
}

/** Why a member of an archive is not extracted. */
export const REFUSALS = [
  /** Its name leads out of the archive. */
  'escape',
  'absolute-name',
  'symbolic-link',
  'hard-link',
  /** A device, pipe or socket. */
  'device',
  'encrypted',
  /** What is left of depth, bytes, entries or of the ratio of compression. */
  'budget',
  /** Its bytes are not those that its checksum was made of. */
  'crc',
  /** Its length is not what is declared. */
  'size',
  /** It shares bytes of the archive with another member. */
  'overlap',
  /** It is listed, but does not lie where it should, or ends early. */
  'damaged',
  /** Compressed by a method that is not read here. */
  'method',
] as const;
export type Refusal = (typeof REFUSALS)[number];
