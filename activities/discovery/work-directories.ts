import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Directories on this machine in which files are unpacked and looked at. Each process has its own, named by its id; what processes left that were killed
 * is cleared away by the next one.
 */
export class WorkDirectories {
  readonly #base: string;
  #swept: Promise<void> | undefined;

  /** @param base path of a directory, made when it is needed */
  constructor(base: string) {
    this.#base = base;
  }

  /** Runs `work` with an empty directory of its own, which is gone afterwards. */
  async within<T>(work: (directory: string) => Promise<T>): Promise<T> {
    await (this.#swept ??= this.#sweep());
    const directory = join(this.#base, String(process.pid), randomUUID());
    await mkdir(directory, { recursive: true, mode: 0o700 });
    try {
      return await work(directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async #sweep(): Promise<void> {
    await mkdir(this.#base, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#base)) {
      if (/^\d+$/.test(name) && !isRunning(Number(name))) {
        await rm(join(this.#base, name), { recursive: true, force: true });
      }
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
