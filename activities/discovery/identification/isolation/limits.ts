/** What the look at one file may cost, and how long a child process lives. */
export interface IsolationLimits {
  /** Child processes at the same time. */
  readonly children: number;
  /** Resident memory of a child, bytes. Watched, so that it may be passed for a moment. */
  readonly memoryBytes: number;
  /** Memory for JavaScript objects in a child, MiB; V8 keeps it. */
  readonly heapMebibytes: number;
  /** Processor time for one file, ms; a large one has more, see {@link timeLimits}. */
  readonly cpuMs: number;
  /** Time for one file, ms; the machine may be busy with other things. */
  readonly wallMs: number;
  /** Length of one answer, bytes. */
  readonly answerBytes: number;
  /** Bytes written for one file beside members of archives: text and rows. */
  readonly outputBytes: number;
  /** A child is replaced after so many files. */
  readonly filesPerChild: number;
  /** Children that nobody needed for so long are ended, ms: each holds some 100 MiB. */
  readonly idleMs: number;
}

export const DEFAULT_LIMITS: IsolationLimits = {
  children: 2,
  memoryBytes: 448 << 20,
  heapMebibytes: 224,
  cpuMs: 60_000,
  wallMs: 600_000,
  answerBytes: 32 << 20,
  outputBytes: 4 * 1024 ** 3,
  filesPerChild: 2_000,
  idleMs: 30_000,
};

/** What an operator may set, see `example.env`. */
export interface ParserSettings {
  readonly LEGACY_PARSERS: number;
  readonly LEGACY_PARSER_MEMORY_BYTES: number;
  readonly LEGACY_PARSER_CPU_MS: number;
  readonly LEGACY_PARSER_WALL_MS: number;
  readonly LEGACY_PARSER_OUTPUT_BYTES: number;
}

export function limitsFromConfig(config: ParserSettings): IsolationLimits {
  const memoryBytes = config.LEGACY_PARSER_MEMORY_BYTES;
  return {
    ...DEFAULT_LIMITS,
    children: config.LEGACY_PARSERS,
    memoryBytes,
    // The rest is for buffers, code and the runtime.
    heapMebibytes: Math.floor(memoryBytes / 2 ** 21),
    cpuMs: config.LEGACY_PARSER_CPU_MS,
    wallMs: config.LEGACY_PARSER_WALL_MS,
    outputBytes: config.LEGACY_PARSER_OUTPUT_BYTES,
  };
}

/** More processor time for each MiB of a file: four times what the slowest readers of text and archives take. */
const CPU_MS_PER_MEBIBYTE = 2_000;
const WALL_PER_CPU = 10;

/** What a file of `bytes` may take, ms. */
export function timeLimits(
  limits: IsolationLimits,
  bytes: number,
): { readonly cpuMs: number; readonly wallMs: number } {
  const moreMs = (bytes / (1 << 20)) * CPU_MS_PER_MEBIBYTE;
  return { cpuMs: limits.cpuMs + moreMs, wallMs: limits.wallMs + moreMs * WALL_PER_CPU };
}

/** A child that has had so much processor time in its life is replaced, seconds. */
export const WORN_CPU_SECONDS = 600;

/** The kernel ends a child of so much processor time, even when its parent is gone and it hangs. */
export const LIFETIME_CPU_SECONDS = 6 * 3_600;
