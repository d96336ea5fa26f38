import { readdir, readFile, readlink, stat } from 'node:fs/promises';

/** The processes in which a worker looks at files, as the system shows them (Linux). */
export async function parsersOf(workerPid: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: number[] = [];
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    const parent = Number(
      status
        .slice(status.lastIndexOf(')') + 2)
        .split(' ')
        .at(1),
    );
    const command = parent === workerPid ? await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '') : '';
    if (command.includes('identification/child.ts')) found.push(pid);
  }
  return found;
}

/** Whether a process has a file of this length open. */
export async function hasOpen(pid: number, bytes: number): Promise<boolean> {
  for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    const path = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
    if (path.endsWith('/file') && (await stat(path).catch(() => undefined))?.size === bytes) return true;
  }
  return false;
}

/** The most memory that a process ever had resident, MiB; 0 when it is gone. */
export async function peakResidentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1_024;
}
