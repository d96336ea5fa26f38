import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GridError } from '../../grid/errors.ts';
import { bringUpServer, type BroughtUp } from './bring-up-server.ts';
import { exclusively } from './exclusively.ts';
import { explainDiskError } from './install/installation.ts';
import { logPath, readRecord, signalRecorded, stopProcess } from './processes.ts';
import { serverOf } from './servers/registry.ts';
import {
  ALL_SERVER_NAMES,
  isServerName,
  SERVER_NAMES,
  settingsOf,
  type ServerName,
  type StackPlace,
  type StackSettings,
} from './settings.ts';

export type { BroughtUp, Outcome } from './bring-up-server.ts';

export type ServerProgress = (name: ServerName, text: string) => void;

/**
 * Brings servers up and waits until they answer: those named, and what they need. Starts nothing where a server of the right
 * kind answers already; starts again those processes of ours that died.
 *
 * @throws GridError of the first server that could not be brought up, after the others are up or have failed too; an
 * AggregateError-like list is in `cause` when several failed.
 */
export async function bringUp(
  names: readonly ServerName[] = SERVER_NAMES,
  place?: StackPlace,
  progress: ServerProgress = () => undefined,
): Promise<BroughtUp[]> {
  return bringUpWith(settingsOf(place), names, progress);
}

/** As {@link bringUp}, for settings that are known already. */
export async function bringUpWith(
  settings: StackSettings,
  names: readonly ServerName[],
  progress: ServerProgress,
): Promise<BroughtUp[]> {
  const wanted = withNeeds(names);
  makeHome(settings);
  const running = new Map<ServerName, Promise<BroughtUp>>();
  for (const name of wanted) {
    const server = serverOf(name);
    const needs = Promise.all(server.needs.flatMap((need) => running.get(need) ?? []));
    // A server that is found running does not look at what it needs; the failure is told by the needed one.
    needs.catch(() => undefined);
    const work = bringUpServer(settings, server, needs, (text) => {
      progress(name, text);
    });
    // Each is awaited below; until then a failure must not count as unhandled.
    work.catch(() => undefined);
    running.set(name, work);
  }
  const results = await Promise.allSettled(running.values());
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (failures.length > 0) throw combine(failures);
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

/**
 * Stops those of the named servers that we started, and what needs them. External servers are left alone.
 *
 * @returns the names of the processes that were stopped
 */
export async function takeDown(
  names: readonly ServerName[] = SERVER_NAMES,
  place?: StackPlace,
  progress: ServerProgress = () => undefined,
): Promise<string[]> {
  return takeDownWith(settingsOf(place), names, progress);
}

/** As {@link takeDown}, for settings that are known already. */
export async function takeDownWith(
  settings: StackSettings,
  names: readonly ServerName[],
  progress: ServerProgress,
): Promise<string[]> {
  if (!existsSync(settings.home)) return [];
  const stopped: string[] = [];
  const stopOne = (name: ServerName): Promise<void> => {
    const tell = (text: string): void => {
      progress(name, text);
    };
    return exclusively(settings, name, tell, async () => {
      for (const processName of [...serverOf(name).processNames].reverse()) {
        const record = readRecord(settings, processName);
        if (record === undefined) continue;
        tell(`stopping ${processName}`);
        const how = await stopProcess(settings, record, serverOf(name));
        if (how === 'was-not-running') continue;
        stopped.push(processName);
        tell(how === 'killed' ? `killed ${processName}, which did not stop in time` : `stopped ${processName}`);
      }
    });
  };
  const all = withDependents(names);
  // First what stands on others.
  const last = all.filter((name) => serverOf(name).needs.length > 0);
  await Promise.all(last.map(stopOne));
  await Promise.all(all.filter((name) => !last.includes(name)).map(stopOne));
  return stopped;
}

/**
 * Sends a signal to the processes of a server that we started, or to one of them: for tests of crashes.
 *
 * @returns how many were signalled
 */
export function kill(processName: string, signal: NodeJS.Signals, place?: StackPlace): number {
  const settings = settingsOf(place);
  const names = isServerName(processName) ? serverOf(processName).processNames : [processName];
  return names.filter((name) => {
    const record = readRecord(settings, name);
    return record !== undefined && signalRecorded(record, signal);
  }).length;
}

/** Removes all downloaded and unpacked software. */
export async function removeInstallations(settings: StackSettings): Promise<void> {
  await rm(settings.installHome, { recursive: true, force: true });
}

/** Stops the named servers and removes their data, configuration and logs. Installations stay. */
export async function resetWith(
  settings: StackSettings,
  names: readonly ServerName[],
  progress: ServerProgress,
): Promise<void> {
  const all = withDependents(names);
  await takeDownWith(settings, all, progress);
  for (const name of all) {
    for (const part of ['data', 'conf', 'tmp'])
      rmSync(join(settings.home, part, name), { recursive: true, force: true });
    for (const processName of serverOf(name).processNames) {
      rmSync(join(settings.home, 'tmp', processName), { recursive: true, force: true });
      for (const suffix of ['', '.1']) rmSync(logPath(settings, processName) + suffix, { force: true });
    }
    progress(name, 'removed its data');
  }
}

function makeHome(settings: StackSettings): void {
  try {
    mkdirSync(join(settings.home, 'run'), { recursive: true });
    mkdirSync(settings.installHome, { recursive: true });
  } catch (error) {
    throw explainDiskError(error, settings.home);
  }
}

/** `names` and what they need, needs first. */
function withNeeds(names: readonly ServerName[]): ServerName[] {
  const all = new Set<ServerName>();
  const add = (name: ServerName): void => {
    serverOf(name).needs.forEach(add);
    all.add(name);
  };
  names.forEach(add);
  return [...all];
}

/** `names` and what stands on them. */
function withDependents(names: readonly ServerName[]): ServerName[] {
  return ALL_SERVER_NAMES.filter(
    (name) => names.includes(name) || serverOf(name).needs.some((need) => names.includes(need)),
  );
}

function combine(failures: readonly unknown[]): unknown {
  if (failures.length === 1) return failures[0];
  const first = failures.find((failure) => failure instanceof GridError);
  const message = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join('\n');
  return new GridError(first instanceof GridError ? first.code : 'defect', message, { cause: failures });
}
