import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { asGridError, GridError } from '../../grid/errors.ts';
import { lastLines, runCommand } from '../native/command.ts';
import { explainDiskError, megabytes, requireSpace } from '../native/install/installation.ts';
import { verifyFile } from '../native/install/lock.ts';
import { findPython } from '../native/install/wheel.ts';
import { unzip } from '../native/install/zip.ts';
import type { Progress } from '../native/server.ts';
import { PROJECT_DIRECTORY } from '../native/settings.ts';

/** Whether SimBench's files are there. */
export type SimbenchResult =
  | { readonly kind: 'ready'; readonly directory: string; readonly mappingFile: string }
  /** They could not be had; `error` says why. Whoever asked goes on without them. */
  | { readonly kind: 'unavailable'; readonly error: GridError };

export const SIMBENCH_MAPPING = fileURLToPath(new URL('simbench.mapping.json', import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL('simbench.requirements.txt', import.meta.url));
const NAME = 'simbench-1.6.3';
const WHEEL_BYTES = 90_969_064;
const UNPACKED_BYTES = 242_000_000;
const NETWORK = /^simbench\/networks\/1-complete_data-mixed-all-([012])-sw\/(\w+\.csv)$/;
/** What is unpacked of each scenario: 0 is today's grid, 1 and 2 are its futures. */
const TABLES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries<readonly string[]>({
    0: [
      'LoadProfile.csv',
      'RESProfile.csv',
      'PowerPlantProfile.csv',
      'Load.csv',
      'RES.csv',
      'PowerPlant.csv',
      'Node.csv',
      'Substation.csv',
      'Line.csv',
    ],
    // Their power plants' profiles are byte for byte those of today.
    1: ['LoadProfile.csv', 'RESProfile.csv'],
    2: ['LoadProfile.csv', 'RESProfile.csv'],
  }),
);
const LICENCES = /\.dist-info\/licenses\/(LICENSE|AUTHORS)$/;
const PROGRESS_INTERVAL_MS = 500;
const LONGEST_DOWNLOAD_MS = 15 * 60_000;

/**
 * Makes sure that SimBench's profiles lie in `<stackHome>/datasets`: at once when they are there, else by pip, with the user's own pip
 * settings. What was downloaded is kept until it is unpacked, and unpacking ends with a rename, so an interrupted set-up goes on and a
 * directory of that name is whole. Never throws for what is not in our hands: the result says why there is no SimBench.
 */
export async function provideSimbench(stackHome: string, progress: Progress): Promise<SimbenchResult> {
  const datasets = join(stackHome, 'datasets');
  const directory = join(datasets, NAME);
  const ready: SimbenchResult = { kind: 'ready', directory, mappingFile: SIMBENCH_MAPPING };
  if (existsSync(directory)) return ready;
  try {
    mkdirSync(datasets, { recursive: true });
    const wheel = await downloadWheel(join(datasets, `${NAME}.download`), progress);
    requireSpace(datasets, UNPACKED_BYTES, 'Unpacking SimBench');
    unpack(wheel, directory, progress);
    rmSync(join(datasets, `${NAME}.download`), { recursive: true, force: true });
    return ready;
  } catch (error) {
    return { kind: 'unavailable', error: asGridError(explainDiskError(error, datasets), 'Setting up SimBench') };
  }
}

/** The checked wheel, downloaded unless an earlier run has left it. */
async function downloadWheel(directory: string, progress: Progress): Promise<string> {
  const present = findWheel(directory);
  if (present !== undefined) {
    try {
      await verifyFile(present, 'SimBench', pinnedHash());
      return present;
    } catch {
      rmSync(present, { force: true });
    }
  }
  const python = findPython();
  if (python === undefined) {
    throw new GridError(
      'tool-missing',
      'Downloading SimBench needs Python 3 with pip, and there is no python3 on the PATH. Install it to replay real series.',
    );
  }
  requireSpace(directory, WHEEL_BYTES * 3 + UNPACKED_BYTES, 'Downloading SimBench');
  const temporary = join(directory, 'tmp');
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  const stopTelling = tellProgress(directory, progress);
  const result = await runCommand(
    python,
    [
      ...[
        '-m',
        'pip',
        '--disable-pip-version-check',
        'download',
        '--no-deps',
        '--only-binary=:all:',
        '--require-hashes',
      ],
      // The wheel holds data and pure Python: the version of the Python that runs pip does not matter.
      ...['--python-version', '3.11', '--retries', '2', '--timeout', '20', '--no-cache-dir', '--progress-bar', 'off'],
      ...['--dest', directory, '--requirement', REQUIREMENTS],
    ],
    { env: { ...process.env, TMPDIR: temporary }, timeoutMs: LONGEST_DOWNLOAD_MS },
  );
  await stopTelling();
  rmSync(temporary, { recursive: true, force: true });
  if (result.code !== 0) throw explain(result.stderr + result.stdout, python);
  const wheel = findWheel(directory);
  if (wheel === undefined) {
    throw new GridError(
      'download-failed',
      `Downloading SimBench: pip ended well, but left no wheel in ${directory}. Try again.`,
    );
  }
  await verifyFile(wheel, 'SimBench', pinnedHash());
  return wheel;
}

/** Tells how much lies in the directory, until it is told to stop. */
function tellProgress(directory: string, progress: Progress): () => Promise<void> {
  const startedMs = Date.now();
  const stop = new AbortController();
  const telling = (async () => {
    while (!stop.signal.aborted) {
      const seconds = Math.round((Date.now() - startedMs) / 1_000);
      const done = Math.min(sizeOf(directory), WHEEL_BYTES);
      progress(`downloading SimBench by pip, ${megabytes(done)} of ${megabytes(WHEEL_BYTES)}, ${seconds} s`);
      await sleep(PROGRESS_INTERVAL_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return () => {
    stop.abort();
    return telling;
  };
}

function unpack(wheel: string, directory: string, progress: Progress): void {
  const unfinished = `${directory}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  progress(`unpacking SimBench's profiles, ${megabytes(UNPACKED_BYTES)}`);
  unzip(wheel, unfinished, (name) => {
    const licence = LICENCES.exec(name)?.[1];
    if (licence !== undefined) return { path: licence };
    const [, scenario = '', table = ''] = NETWORK.exec(name) ?? [];
    return TABLES.get(scenario)?.includes(table) === true ? { path: `scenario-${scenario}/${table}` } : undefined;
  });
  const absent = [...TABLES]
    .flatMap(([scenario, tables]) => tables.map((table) => `scenario-${scenario}/${table}`))
    .filter((path) => !existsSync(join(unfinished, path)));
  if (absent.length > 0) {
    throw new GridError(
      'checksum-mismatch',
      `Unpacking SimBench: ${absent.join(', ')} should be in ${wheel}, and are not. Remove it and try again.`,
    );
  }
  renameSync(unfinished, directory);
}

function pinnedHash(): string {
  return /--hash=sha256:([0-9a-f]{64})/.exec(readFileSync(REQUIREMENTS, 'utf8'))?.[1] ?? '';
}

function findWheel(directory: string): string | undefined {
  if (!existsSync(directory)) return undefined;
  const file = readdirSync(directory).find((entry) => entry.startsWith('simbench-') && entry.endsWith('.whl'));
  return file === undefined ? undefined : join(directory, file);
}

/** Bytes below a directory; what vanishes meanwhile counts nothing. */
function sizeOf(directory: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      bytes += entry.isDirectory() ? sizeOf(path) : statSync(path).size;
    }
  } catch {
    // pip moves its files while they are counted.
  }
  return bytes;
}

function explain(output: string, python: string): GridError {
  if (/No module named pip/.test(output)) {
    return new GridError(
      'tool-missing',
      `Downloading SimBench needs pip, which ${python} does not have. Install it (on Debian: python3-pip) to replay real series.`,
    );
  }
  if (/No space left on device/.test(output)) {
    return new GridError('disk-full', 'Downloading SimBench: the disk is full. Make room and try again.');
  }
  if (/DO NOT MATCH THE HASHES/i.test(output)) {
    return new GridError(
      'checksum-mismatch',
      `Downloading SimBench: pip refused it, since it is not the file whose hash is pinned in ${REQUIREMENTS.replace(`${PROJECT_DIRECTORY}/`, '')}. pip said:\n${lastLines(output, 6)}`,
    );
  }
  return new GridError(
    'download-failed',
    `Downloading SimBench: pip failed. Check the network and your pip settings (index, proxy), then try again. pip said:\n${lastLines(output, 6)}`,
  );
}
