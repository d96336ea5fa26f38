import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GridError } from '../../grid/errors.ts';
import type { Logger } from '../../runtime/logger.ts';

export interface WorkflowBundleOptions {
  /** TypeScript file that exports all workflows. */
  readonly workflowsFile: string;
  /** Directories whose sources the workflows are made of; the bundle is built anew when one of them has changed. */
  readonly sourceDirectories: readonly string[];
  /** Files beside them that the bundle depends on, such as the lock file of the dependencies; those that are missing are left out. */
  readonly otherFiles: readonly string[];
  /** Where bundles are kept from one start to the next. */
  readonly cacheDirectory: string;
  readonly logger: Logger;
}

const BUILDER = fileURLToPath(new URL('build-workflow-bundle.ts', import.meta.url));
const BUILD_TIMEOUT_MS = 120_000;
/** A bundle that no worker was started from for so long is removed. */
const KEPT_MS = 7 * 86_400_000;

/**
 * Path of the bundle of the workflows: from the cache when nothing has changed, else built, which takes some seconds. It is built
 * by a process of its own, whose memory (some 300 MB) is gone afterwards, and put in place by a rename, so that several
 * workers may start at once.
 *
 * @throws GridError `defect` when the workflows cannot be bundled, `disk-full` and the like as what they are
 */
export async function prepareWorkflowBundle(options: WorkflowBundleOptions): Promise<string> {
  const path = join(options.cacheDirectory, `workflow-bundle-${await fingerprint(options)}.js`);
  if (existsSync(path)) {
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
    return path;
  }
  const startedAtMs = performance.now();
  try {
    await mkdir(options.cacheDirectory, { recursive: true });
  } catch (error) {
    throw new GridError(
      'invalid-configuration',
      `Building the workflow bundle: ${error instanceof Error ? error.message : String(error)}. Set STACK_HOME to a directory that this user may write to.`,
      { cause: error },
    );
  }
  const unfinished = `${path}.${randomUUID()}.tmp`;
  try {
    await build(options.workflowsFile, unfinished);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
  options.logger.info(
    { path, seconds: Math.round((performance.now() - startedAtMs) / 100) / 10 },
    'workflow bundle built',
  );
  await removeUnused(options.cacheDirectory, path);
  return path;
}

/** Changes with every source, the dependencies and the runtime that the bundle is made of. */
async function fingerprint(options: WorkflowBundleOptions): Promise<string> {
  const hash = createHash('sha256');
  for (const directory of options.sourceDirectories) {
    const names = await readdir(directory, { recursive: true });
    for (const name of names.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts')).sort()) {
      hash.update(`${name}\0`).update(await readFile(join(directory, name)));
    }
  }
  for (const file of options.otherFiles.filter((name) => existsSync(name))) {
    hash.update(`${file}\0`).update(await readFile(file));
  }
  hash.update(relative(process.cwd(), options.workflowsFile)).update(await readFile(BUILDER));
  return hash.digest('hex').slice(0, 16);
}

function build(workflowsFile: string, destination: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // tsx is loaded by its path, so that the working directory does not matter.
    const child = spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), BUILDER, workflowsFile, destination],
      { stdio: ['ignore', 'ignore', 'pipe'], timeout: BUILD_TIMEOUT_MS },
    );
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4_000);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else {
        const reason = complaint.trim() === '' ? `the builder ended with ${signal ?? code ?? 'nothing'}` : complaint;
        reject(new GridError('defect', `Bundling the workflows of ${workflowsFile}: ${reason.trim()}`));
      }
    });
  });
}

async function removeUnused(directory: string, current: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if (!name.startsWith('workflow-bundle-') || path === current) continue;
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > KEPT_MS) await rm(path, { force: true });
  }
}
