/** `psql -c "\copy … to stdout" | gzip -1 > file`: what an operator would type, on a local disk. */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findOnPath } from '../../infra/native/command.ts';
import { postgres } from '../../infra/native/servers/postgres.ts';
import { settingsFromConfig } from '../../infra/native/settings.ts';
import type { Config } from '../../runtime/config.ts';
import { measureCommand } from '../compare/command.ts';
import { machineCpuSeconds } from '../compare/process-usage.ts';
import type { SideResult } from '../compare/result.ts';

/** psql of the machine, else the one that came with the native stack's PostgreSQL. */
export async function findPsql(config: Config): Promise<string> {
  const onPath = findOnPath('psql');
  if (onPath !== undefined) return onPath;
  try {
    const { directory } = await postgres.install(settingsFromConfig(config), () => undefined);
    return join(directory, 'psql');
  } catch (cause) {
    throw new Error(
      'psql is missing, which this benchmark compares with: it is neither on the PATH nor with the native PostgreSQL. Install postgresql-client.',
      { cause },
    );
  }
}

export interface PsqlRun {
  readonly psqlPath: string;
  readonly databaseUrl: string;
  readonly table: string;
  readonly rows: number;
  /** Local path to write to. */
  readonly file: string;
}

export async function runPsql(run: PsqlRun, signal: AbortSignal): Promise<SideResult> {
  await rm(run.file, { force: true });
  await mkdir(dirname(run.file), { recursive: true });
  const machineCpuBefore = machineCpuSeconds();
  const usage = await measureCommand(
    `"$1" -X -q -v ON_ERROR_STOP=1 -d "$2" -c "\\copy $3 to stdout" | gzip -1 > "$4"`,
    [run.psqlPath, run.databaseUrl, run.table, run.file],
    { cwd: dirname(run.file), signal },
  );
  const machineCpu = machineCpuSeconds() - machineCpuBefore;
  return {
    records: run.rows,
    seconds: usage.seconds,
    recordsPerSecond: Math.round(run.rows / usage.seconds),
    cpuSecondsPerMillion: usage.cpuSeconds / (run.rows / 1e6),
    machineCpuSecondsPerMillion: machineCpu / (run.rows / 1e6),
    peakResidentMiB: usage.peakResidentMiB,
  };
}
