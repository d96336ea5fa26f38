import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GridError } from '../../grid/errors.ts';
import type { Installation, ProcessSpec } from './server.ts';
import type { PortName, StackSettings } from './settings.ts';

/**
 * What is remembered of a process that we started. The pid alone is not enough: the system gives it to somebody else once
 * the process is gone, so its start time is kept beside it and no signal is sent unless both agree.
 */
export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  /** The system's own mark of when the process started; together with the pid it is unique until the next boot. */
  readonly startMark: string;
  readonly startedAt: string;
  readonly ports: Readonly<Partial<Record<PortName, number>>>;
  readonly version: string;
  readonly from: string;
}

/** A log is put aside when its process starts and it is larger than this; one older log is kept. */
const LOG_ROTATE_BYTES = 16 << 20;
const POLL_MS = 25;

export function logPath(settings: StackSettings, processName: string): string {
  return join(settings.home, 'logs', `${processName}.log`);
}

function recordPath(settings: StackSettings, processName: string): string {
  return join(settings.home, 'run', `${processName}.json`);
}

/** Starts a process detached, in a session of its own, with its output appended to its log, and records it. */
export function startProcess(settings: StackSettings, spec: ProcessSpec, installation: Installation): ProcessRecord {
  const log = logPath(settings, spec.name);
  mkdirSync(join(settings.home, 'logs'), { recursive: true });
  mkdirSync(join(settings.home, 'run'), { recursive: true });
  if (existsSync(log) && statSync(log).size > LOG_ROTATE_BYTES) renameSync(log, `${log}.1`);
  // What an earlier run unpacked and a kill left behind.
  const temporary = join(settings.home, 'tmp', spec.name);
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const output = openSync(log, 'a');
  try {
    const child = spawn(spec.command, spec.args, {
      cwd: spec.cwd,
      env: { ...inheritedEnvironment(), ...spec.env },
      detached: true,
      stdio: ['ignore', output, output],
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
    });
    // Without a listener a failure to start would end this process; the missing pid is reported below.
    child.on('error', () => undefined);
    child.unref();
    if (child.pid === undefined) {
      throw new GridError(
        'server-start-failed',
        `Starting ${spec.name}: ${spec.command} could not be run. Run \`npm run stack -- doctor\`.`,
      );
    }
    const record: ProcessRecord = {
      name: spec.name,
      pid: child.pid,
      startMark: startMarkOf(child.pid) ?? 'gone',
      startedAt: new Date().toISOString(),
      ports: Object.fromEntries(spec.ports.map((port) => [port, settings.ports[port]])),
      version: installation.version,
      from: installation.from,
    };
    const path = recordPath(settings, spec.name);
    writeFileSync(`${path}.new`, JSON.stringify(record, undefined, 2));
    renameSync(`${path}.new`, path);
    return record;
  } finally {
    closeSync(output);
  }
}

/** The record of a process, whether it still runs or not. */
export function readRecord(settings: StackSettings, processName: string): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordPath(settings, processName), 'utf8')) as ProcessRecord;
  } catch {
    return undefined;
  }
}

/** The record of a process that runs now and is the one that we started. */
export function readLiveRecord(settings: StackSettings, processName: string): ProcessRecord | undefined {
  const record = readRecord(settings, processName);
  return record !== undefined && isLive(record) ? record : undefined;
}

export function isLive(record: ProcessRecord): boolean {
  return startMarkOf(record.pid) === record.startMark;
}

/**
 * Asks a process to stop and waits; kills its process group when it takes longer than it may. Does nothing to a process that
 * is not the one recorded.
 *
 * @throws GridError `server-stop-failed` when it cannot be signalled or outlives SIGKILL.
 */
export async function stopProcess(
  settings: StackSettings,
  record: ProcessRecord,
  how: { stopSignal: NodeJS.Signals; stopTimeoutMs: number },
): Promise<'stopped' | 'killed' | 'was-not-running'> {
  if (!isLive(record)) {
    rmSync(recordPath(settings, record.name), { force: true });
    return 'was-not-running';
  }
  signalProcess(record, how.stopSignal);
  let outcome: 'stopped' | 'killed' = 'stopped';
  if (!(await isGoneWithin(record, how.stopTimeoutMs))) {
    outcome = 'killed';
    signalGroup(record, 'SIGKILL');
    if (!(await isGoneWithin(record, 10_000))) {
      throw new GridError(
        'server-stop-failed',
        `Stopping ${record.name}: process ${record.pid} is still there after SIGKILL.`,
      );
    }
  }
  rmSync(recordPath(settings, record.name), { force: true });
  return outcome;
}

/** Sends a signal to a recorded process, SIGKILL to its whole group. False when it does not run any more. */
export function signalRecorded(record: ProcessRecord, signal: NodeJS.Signals): boolean {
  if (!isLive(record)) return false;
  if (signal === 'SIGKILL') signalGroup(record, signal);
  else signalProcess(record, signal);
  return true;
}

async function isGoneWithin(record: ProcessRecord, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isLive(record)) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

function signalProcess(record: ProcessRecord, signal: NodeJS.Signals): void {
  send(record, record.pid, signal);
}

function signalGroup(record: ProcessRecord, signal: NodeJS.Signals): void {
  send(record, -record.pid, signal);
}

function send(record: ProcessRecord, target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ESRCH') return;
    throw new GridError(
      'server-stop-failed',
      `Sending ${signal} to ${record.name} (process ${record.pid}): not permitted. It was started by another user; run this as that user.`,
      { cause: error },
    );
  }
}

/** Undefined when there is no such process, or only a zombie of it. */
function startMarkOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      // The command name, in parentheses, may hold spaces: fields are counted from behind it (state is field 3, the number of
      // threads 20, the start time 22).
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      // A killed process whose other threads are still ending has its ports yet.
      const ended = (fields[0] === 'Z' && Number(fields[17]) <= 1) || fields[0] === 'X';
      return ended ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  try {
    const [state, ...start] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return state === undefined || state === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}

/**
 * Resident memory of a process and its children in bytes; undefined where it cannot be read. Of children only their share
 * counts, since they have most of it in common with their parent.
 */
export function residentBytes(pid: number): number | undefined {
  try {
    if (process.platform !== 'linux') {
      return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).trim()) * 1024;
    }
    const own = kilobytesIn(`/proc/${pid}/status`, /^VmRSS:\s+(\d+) kB/m);
    const children = childrenOf(pid).map((child) => kilobytesIn(`/proc/${child}/smaps_rollup`, /^Pss:\s+(\d+) kB/m));
    return [own, ...children].reduce((total, kilobytes) => total + kilobytes * 1024, 0);
  } catch {
    return undefined;
  }
}

function kilobytesIn(path: string, pattern: RegExp): number {
  try {
    return Number(pattern.exec(readFileSync(path, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/**
 * What a server sees of the caller's environment: no variable that would change how a JVM or a server behaves behind our back.
 */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const kept: NodeJS.ProcessEnv = {};
  for (const name of ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return { ...kept, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };
}
