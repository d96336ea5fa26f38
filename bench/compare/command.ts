/** Runs a peer that is a program of its own, and measures it with all that it starts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { peakResidentMiB } from './process-usage.ts';

/** Peaks only grow, so what matters is to look shortly before the end. */
const POLL_MS = 40;
const KEPT_LOG_CHARACTERS = 200_000;
const KILL_AFTER_MS = 10_000;

export interface CommandUsage {
  readonly seconds: number;
  /** Of the command and of every process below it that it waited for. */
  readonly cpuSeconds: number;
  /** The peaks of its processes together. */
  readonly peakResidentMiB: number;
  /** The end of what it printed to standard error. */
  readonly log: string;
}

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Processes below `pid`, itself left out. */
function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return children.map(Number).flatMap((child) => [child, ...ofLivingProcess([], () => descendants(child))]);
}

/** Processes end between two looks at them. */
function ofLivingProcess<T>(otherwise: T, look: () => T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

/** Bash prints `0m1.234s`, of itself and on the next line of its children. */
function secondsOfTimes(stdout: string): number {
  const times = [...stdout.matchAll(/(\d+)m([\d.]+)s/g)].slice(-4);
  if (times.length !== 4) throw new Error(`Bash did not tell what its command has used: ${stdout}`);
  return times.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

/**
 * Runs a script of Bash, whose own accounting adds up all processes to the last millisecond; `args` are its `$1`, `$2` and so on.
 *
 * @throws Error with the end of its log when it fails; the abort's reason when it was told to stop
 */
export async function measureCommand(
  script: string,
  args: readonly string[],
  { cwd, env = process.env, signal }: CommandOptions,
): Promise<CommandUsage> {
  signal.throwIfAborted();
  const startedMs = performance.now();
  const child = spawn('bash', ['-c', `set -o pipefail\n${script}\ncode=$?\ntimes\nexit $code`, 'bash', ...args], {
    cwd,
    env: { ...env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: whatever the script has started ends with it.
    detached: true,
  });
  let stdout = '';
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout = (stdout + chunk.toString()).slice(-10_000)));
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-KEPT_LOG_CHARACTERS)));
  const closed = once(child, 'close');
  const { pid } = child;
  if (pid === undefined) {
    await closed;
    throw new Error('Bash could not be started; this benchmark needs it.');
  }
  const killGroup = (name: NodeJS.Signals) => {
    ofLivingProcess(false, () => process.kill(-pid, name));
  };
  const onAbort = () => {
    killGroup('SIGTERM');
    setTimeout(killGroup, KILL_AFTER_MS, 'SIGKILL').unref();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const peaks = new Map<number, number>();
  try {
    while (child.exitCode === null && child.signalCode === null) {
      for (const process of ofLivingProcess([], () => descendants(pid))) {
        // The last look counts: just after a fork it would show the parent's memory.
        const peak = ofLivingProcess(0, () => peakResidentMiB(process));
        if (peak > 0) peaks.set(process, peak);
      }
      await Promise.race([closed, delay(POLL_MS)]);
    }
    await closed;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  signal.throwIfAborted();
  if (child.exitCode !== 0) {
    throw new Error(
      `${script} ended with ${child.exitCode ?? child.signalCode ?? 'nothing'}; the end of its log:\n${log}`,
    );
  }
  const peakMiB = [...peaks.values()].reduce((sum, peak) => sum + peak, 0);
  return { seconds, cpuSeconds: secondsOfTimes(stdout), peakResidentMiB: Math.round(peakMiB), log };
}
