import { existsSync, mkdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { GridError } from '../../../grid/errors.ts';
import { lastLines } from '../command.ts';
import { withLockFile } from '../../launch/lock-file.mjs';
import type { StackSettings } from '../settings.ts';

/**
 * The directory `<installHome>/<name>-<mark>`, made by `build` when it is not there. It is built aside and renamed when it is
 * whole, so a directory of that name is always complete.
 */
export async function installOnce(
  settings: StackSettings,
  name: string,
  mark: string,
  build: (directory: string) => Promise<void>,
): Promise<string> {
  const directory = join(settings.installHome, `${name}-${mark}`);
  if (existsSync(directory)) return directory;
  const unfinished = `${directory}.unfinished`;
  try {
    // Several stacks may share the installations.
    await withLockFile(`${directory}.lock`, async () => {
      if (existsSync(directory)) return;
      rmSync(unfinished, { recursive: true, force: true });
      mkdirSync(unfinished, { recursive: true });
      await build(unfinished);
      renameSync(unfinished, directory);
    });
  } catch (error) {
    throw explainDiskError(error, settings.installHome);
  }
  return directory;
}

/** Free bytes for this user on the file system that holds `directory` or the nearest parent that exists. */
export function freeBytes(directory: string): number {
  let path = directory;
  while (!existsSync(path)) path = join(path, '..');
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/**
 * @throws GridError `disk-full` when fewer than `neededBytes` are free.
 */
export function requireSpace(directory: string, neededBytes: number, purpose: string): void {
  const free = freeBytes(directory);
  if (free >= neededBytes) return;
  throw new GridError(
    'disk-full',
    `${purpose} needs ${megabytes(neededBytes)} in ${directory}, where ${megabytes(free)} are free. Make room, or name another place with STACK_HOME.`,
  );
}

/** The error of a server's own tool that failed; a full disk, which each words in its own way, becomes one sentence. */
export function setUpFailure(attempt: string, output: string, directory: string): GridError {
  if (/No space left on device|Disk quota exceeded/i.test(output)) {
    return new GridError(
      'disk-full',
      `${attempt}: the disk of ${directory} is full. Make room, or name another place with STACK_HOME.`,
    );
  }
  return new GridError('server-start-failed', `${attempt} failed:\n${lastLines(output)}`);
}

/** A full disk and a directory without write permission become sentences; every other error stays as it is. */
export function explainDiskError(error: unknown, directory: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new GridError(
      'disk-full',
      `Writing to ${directory}: the disk is full. Make room, or name another place with STACK_HOME, and try again: what was downloaded is kept.`,
      { cause: error },
    );
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new GridError(
      'invalid-configuration',
      `Writing to ${directory}: not permitted for this user. Name a directory of your own with STACK_HOME.`,
      { cause: error },
    );
  }
  return error;
}

export function megabytes(bytes: number): string {
  const value = bytes / 1e6;
  return `${value < 10 ? value.toFixed(1) : Math.round(value).toString()} MB`;
}
