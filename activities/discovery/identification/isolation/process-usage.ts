import { readFile } from 'node:fs/promises';

export interface ProcessUsage {
  readonly residentBytes: number;
  readonly cpuMs: number;
  /** Bytes that it wrote anywhere. */
  readonly writtenBytes: number;
}

/** Linux counts processor time in hundredths of a second for those who ask through /proc, and memory in pages. */
const TICK_MS = 10;
const PAGE_BYTES = 4_096;

/** What a process has used so far; undefined: it is gone, or the system has no /proc to ask. */
export async function processUsage(pid: number): Promise<ProcessUsage | undefined> {
  try {
    const [stat, io] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'latin1'),
      readFile(`/proc/${pid}/io`, 'latin1'),
    ]);
    // The name, in parentheses, may hold spaces; what follows is numbers from the third field on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number): number => Number(fields[number - 3] ?? 0);
    return {
      cpuMs: (field(14) + field(15)) * TICK_MS,
      residentBytes: field(24) * PAGE_BYTES,
      writtenBytes: Number(/^wchar: (\d+)/m.exec(io)?.[1] ?? 0),
    };
  } catch {
    return undefined;
  }
}
