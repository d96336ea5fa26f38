/** One run of a side of the comparison. A side that is a Node process gets it as JSON in its first argument. */
export interface SideRun {
  readonly brokers: string[];
  readonly webHdfsUrl: string;
  readonly topic: string;
  readonly records: number;
  /** HDFS directory to write below. */
  readonly directory: string;
}

/** What was measured of it, from the first record read. */
export interface SideResult {
  readonly records: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly peakResidentMiB: number;
}

/** A process's own measurement, as the last line of its standard output. */
export function report(records: number, durationMs: number, cpuAtStart: NodeJS.CpuUsage): void {
  const cpu = process.cpuUsage(cpuAtStart);
  const seconds = durationMs / 1_000;
  const result: SideResult = {
    records,
    seconds,
    recordsPerSecond: Math.round(records / seconds),
    cpuSecondsPerMillion: (cpu.user + cpu.system) / records,
    peakResidentMiB: Math.round(process.resourceUsage().maxRSS / 1_024),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
