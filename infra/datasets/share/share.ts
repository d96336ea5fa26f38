import { existsSync } from 'node:fs';
import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Chance } from '../../../activities/discovery/identification/accuracy/chance.ts';
import { disturbanceFiles } from './disturbances.ts';
import { installedFiles } from './installed.ts';
import { measurementFiles } from './measurements.ts';
import { officeFiles } from './office.ts';
import type { ShareFile } from './share-file.ts';
import { TRAP_LINKS, trapFiles } from './traps.ts';

/** Part of the directory's name: another set of files is another share. */
const VERSION = 1;
/** Every so many files one lies there a second time. */
const COPIED = 7;
const FIRST_YEAR = 1996;
const YEARS = 22;

export interface ShareOptions {
  /** Where it is to be, see {@link shareDirectory}. */
  readonly directory: string;
  /** SimBench's tables; undefined: there are none, and series are generated. */
  readonly simbenchDirectory: string | undefined;
  /** The directory `node_modules`. */
  readonly packages: string;
  /** Where the stack's servers are installed. */
  readonly software: string;
  readonly signal: AbortSignal;
}

/** Where the sample share of a stack lies. With SimBench it is another one than without. */
export function shareDirectory(stackHome: string, hasSimbench: boolean): string {
  return join(stackHome, 'datasets', `share-${VERSION}${hasSimbench ? '' : '-generated'}`);
}

/**
 * Makes the sample share, unless it is there: some hundreds of files as they gather on the shares of a grid operator, real ones and generated ones,
 * and traps. The same for the same packages. It ends with a rename, so a directory of that name is whole; what people put into it
 * later stays.
 *
 * @throws the system's errors; the signal's reason
 */
export async function provideShare(options: ShareOptions): Promise<'made' | 'present'> {
  const { directory, signal } = options;
  if (existsSync(directory)) return 'present';
  const unfinished = `${directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  const chance = new Chance(5);
  for await (const file of allFiles(options)) {
    signal.throwIfAborted();
    await put(unfinished, file, Date.UTC(FIRST_YEAR + chance.below(YEARS), chance.below(12), 1 + chance.below(28)));
  }
  for (const { path, target } of TRAP_LINKS) await symlink(target, join(unfinished, path));
  await rename(unfinished, directory);
  return 'made';
}

async function* allFiles({
  simbenchDirectory,
  packages,
  software,
}: ShareOptions): AsyncGenerator<ShareFile, void, undefined> {
  yield* withCopies(measurementFiles(simbenchDirectory));
  yield* withCopies(disturbanceFiles());
  yield* withCopies(officeFiles());
  yield* withCopies(installedFiles(packages, software));
  yield* trapFiles();
}

/** People copy before they change anything, and forget it. */
async function* withCopies(
  files: AsyncIterable<ShareFile> | Iterable<ShareFile>,
): AsyncGenerator<ShareFile, void, undefined> {
  let number = 0;
  for await (const file of files) {
    yield file;
    if (++number % COPIED === 0 && typeof file.path === 'string') {
      yield { ...file, path: `Sicherung/2011-12-31/${file.path}` };
    }
  }
}

async function put(directory: string, { path, bytes }: ShareFile, modifiedMs: number): Promise<void> {
  const full = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path)]);
  await mkdir(full.subarray(0, full.lastIndexOf(0x2f)), { recursive: true });
  try {
    await writeFile(full, bytes);
    await utimes(full, modifiedMs / 1_000, modifiedMs / 1_000);
  } catch (error) {
    // Not every system takes every name.
    if (typeof path !== 'string' && error instanceof Error && 'code' in error && error.code === 'EILSEQ') return;
    throw error;
  }
}
