import { spawn } from 'node:child_process';
import { existsSync, linkSync, copyFileSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GridError } from '../../../grid/errors.ts';
import { withLockFile } from '../../launch/lock-file.mjs';
import { endWithUs, findOnPath, lastLines } from '../command.ts';
import { howToInstall } from '../java.ts';
import type { Progress } from '../server.ts';
import type { StackSettings } from '../settings.ts';
import { megabytes, requireSpace } from './installation.ts';
import { readMavenLock, repositoryPath, verifyFile, type LockedJar } from './lock.ts';

/** Pinned like everything else that is downloaded and run. */
const RESOLVE_GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:resolve';
const PROGRESS_INTERVAL_MS = 500;

export function pomPath(name: string): string {
  return fileURLToPath(new URL(`../maven/${name}/pom.xml`, import.meta.url));
}

export function mavenRepository(settings: StackSettings): string {
  return join(settings.installHome, 'maven-repository');
}

/**
 * Downloads what `maven/<name>/pom.xml` resolves to, checks every file against `locks/<name>.json` and links the jars
 * into `directory`/lib. Downloads that were interrupted go on where they stopped: whole files are kept in our own repository.
 *
 * @throws GridError `tool-missing` without Maven, `download-failed`, `checksum-mismatch`, `disk-full`
 */
export async function installJars(
  settings: StackSettings,
  name: string,
  directory: string,
  progress: Progress,
): Promise<void> {
  const { jars } = readMavenLock(name);
  const repository = mavenRepository(settings);
  const totalBytes = sum(jars);
  requireSpace(settings.installHome, totalBytes * 1.2, `Downloading ${name}`);
  if (!jars.every((jar) => isWhole(repository, jar))) {
    // Maven's local repository is not safe for two writers.
    await withLockFile(
      join(settings.installHome, 'maven.lock'),
      () => download(settings, name, jars, progress),
      (pid) => {
        progress(
          pid === process.pid ? 'waiting for its turn to download' : `waiting for process ${pid}, which is downloading`,
        );
      },
    );
  }
  progress(`checking ${jars.length} files, ${megabytes(totalBytes)}`);
  const library = join(directory, 'lib');
  mkdirSync(library, { recursive: true });
  for (const jar of jars) {
    const source = join(repository, repositoryPath(jar.coordinates));
    if (!existsSync(source)) {
      throw new GridError(
        'download-failed',
        `Downloading ${name}: Maven did not bring ${jar.coordinates}, which locks/${name}.json lists. Write the lock file anew with \`npm run stack -- lock ${name}\`.`,
      );
    }
    try {
      await verifyFile(source, jar.coordinates, jar.sha256);
    } catch (error) {
      // Else Maven would take it for downloaded for ever.
      rmSync(source, { force: true });
      throw error;
    }
    if (source.endsWith('.jar')) link(source, join(library, jarFileName(jar.coordinates)));
  }
}

/** Group and artifact both, since two groups may publish artifacts of one name. */
export function jarFileName(coordinates: string): string {
  const [group = ''] = coordinates.split(':');
  const base = repositoryPath(coordinates).split('/').at(-1) ?? '';
  return `${group}.${base}`;
}

async function download(
  settings: StackSettings,
  name: string,
  jars: readonly LockedJar[],
  progress: Progress,
): Promise<void> {
  const repository = mavenRepository(settings);
  const startedAt = Date.now();
  const totalBytes = sum(jars);
  let files = 0;
  const tell = (): void => {
    const present = sum(jars.filter((jar) => isWhole(repository, jar)));
    const seconds = Math.round((Date.now() - startedAt) / 1000);
    // Before the jars come hundreds of small descriptions, which the count of files shows.
    progress(`downloading by Maven, ${megabytes(present)} of ${megabytes(totalBytes)}, ${files} files, ${seconds} s`);
  };
  tell();
  const ticker = setInterval(tell, PROGRESS_INTERVAL_MS);
  try {
    await runMaven(name, repository, [], () => (files += 1));
  } finally {
    clearInterval(ticker);
  }
}

/** Runs Maven on a server's project; its own settings (mirrors, proxies, credentials) apply. */
export async function runMaven(
  name: string,
  repository: string,
  more: readonly string[],
  onFile: () => void = () => undefined,
): Promise<void> {
  const maven = findOnPath('mvn');
  if (maven === undefined) {
    throw new GridError(
      'tool-missing',
      `Downloading ${name} needs Maven (mvn), and there is none on the PATH. ${howToInstall('Maven', 'maven')}.`,
    );
  }
  const args = [
    '-B',
    '-f',
    pomPath(name),
    `-Dmaven.repo.local=${repository}`,
    '-Dmaven.artifact.threads=12',
    '-DincludeScope=runtime',
    RESOLVE_GOAL,
    ...more,
  ];
  const { code, output } = await new Promise<{ code: number; output: string }>((resolve) => {
    const child = spawn(maven, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    endWithUs(child);
    let output = '';
    const keep = (text: string): void => {
      output = (output + text).slice(-65_536);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const _ of text.matchAll(/^Downloaded from|] Downloaded from/gm)) onFile();
      keep(text);
    });
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => {
      resolve({ code: 127, output: error.message });
    });
    child.on('close', (exitCode) => {
      resolve({ code: exitCode ?? 128, output });
    });
  });
  if (code === 0) return;
  if (/No space left on device/.test(output)) {
    throw new GridError(
      'disk-full',
      `Downloading ${name}: the disk of ${repository} is full. Make room and try again: what was downloaded is kept.`,
    );
  }
  const errors = output
    .split('\n')
    .filter((line) => line.includes('ERROR'))
    .slice(0, 6)
    .join('\n');
  throw new GridError(
    'download-failed',
    `Downloading ${name}: Maven ended with ${code}. Check the network and your Maven settings (mirror, proxy), then try again: what was downloaded is kept. Maven said:\n${errors === '' ? lastLines(output) : errors}`,
  );
}

function isWhole(repository: string, jar: LockedJar): boolean {
  try {
    return statSync(join(repository, repositoryPath(jar.coordinates))).size === jar.sizeBytes;
  } catch {
    return false;
  }
}

function sum(jars: readonly LockedJar[]): number {
  return jars.reduce((total, jar) => total + jar.sizeBytes, 0);
}

/** A hard link costs no space; a copy where the file system has none. */
function link(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}
