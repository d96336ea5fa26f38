/** What the look at one file may cost, and how long a child process lives. */
export interface IsolationLimits {
  /** Child processes at the same time. */
  readonly children: number;
  /** Resident memory of a child, bytes. Watched, so that it may be passed for a moment. */
  readonly memoryBytes: number;
  /** Memory for JavaScript objects in a child, MiB; V8 keeps it. */
  readonly heapMebibytes: number;
  /** Processor time for one file, ms. */
  readonly cpuMs: number;
  /** Time for one file, ms. */
  readonly wallMs: number;
  /** Length of one answer, bytes. */
  readonly answerBytes: number;
  /** Bytes written for one file beside members of archives: text and rows. */
  readonly outputBytes: number;
  /** A child is replaced after so many files. */
  readonly filesPerChild: number;
}

export const DEFAULT_LIMITS: IsolationLimits = {
  children: 2,
  memoryBytes: 448 << 20,
  heapMebibytes: 224,
  cpuMs: 120_000,
  wallMs: 600_000,
  answerBytes: 32 << 20,
  outputBytes: 4 * 1024 ** 3,
  filesPerChild: 2_000,
};

/** The kernel ends a child that has had so much processor time in its life, even when its parent is gone. */
export function lifetimeCpuSeconds(limits: IsolationLimits): number {
  return Math.ceil(limits.cpuMs / 1_000) * 2 + 600;
}
