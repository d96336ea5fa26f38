/** What was measured of one run of a side of a comparison. */
export interface SideResult {
  readonly records: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly peakResidentMiB: number;
  /** Records a second while they flowed, for a side that has a start-up or an end of its own. */
  readonly transferRecordsPerSecond?: number;
  /** CPU seconds of all that ran on the machine meanwhile, servers included. */
  readonly machineCpuSecondsPerMillion?: number;
}

/** A process's own measurement, as the last line of its standard output; `runSide` reads it. */
export function report(
  records: number,
  durationMs: number,
  cpuAtStart: NodeJS.CpuUsage,
  more: Partial<SideResult> = {},
): void {
  const cpu = process.cpuUsage(cpuAtStart);
  const seconds = durationMs / 1_000;
  const result: SideResult = {
    records,
    seconds,
    recordsPerSecond: Math.round(records / seconds),
    cpuSecondsPerMillion: (cpu.user + cpu.system) / records,
    peakResidentMiB: Math.round(process.resourceUsage().maxRSS / 1_024),
    ...more,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
