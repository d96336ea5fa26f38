/** Fetches the programs that the project is measured beside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const PEERS = fileURLToPath(new URL('.', import.meta.url));
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Has Maven copy what `bench/peers/<name>/pom.xml` names into `<stack home>/bench/<name>/lib`, once.
 *
 * @param stackHome relative to the project's root, or absolute.
 * @returns `<stack home>/bench/<name>`
 */
export async function installPeer(name: string, stackHome: string, signal: AbortSignal): Promise<string> {
  const home = resolve(PROJECT, stackHome, 'bench', name);
  const lib = join(home, 'lib');
  const complete = join(home, 'complete.xml');
  const pomPath = join(PEERS, name, 'pom.xml');
  const pom = readFileSync(pomPath, 'utf8');
  if (existsSync(complete) && readFileSync(complete, 'utf8') === pom) return home;
  await rm(lib, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${lib}`];
  const maven = spawn('mvn', ['-q', '-B', '-f', pomPath, ...goal], { stdio: ['ignore', 'inherit', 'inherit'], signal });
  await once(maven, 'close');
  if (maven.exitCode !== 0) throw new Error(`Maven could not fetch ${name} (code ${maven.exitCode ?? 'none'})`);
  await writeFile(complete, pom);
  return home;
}

/** A class path of these directories, then of all jars of an installed peer. */
export async function classPath(home: string, directories: readonly string[]): Promise<string> {
  const jars = (await readdir(join(home, 'lib'))).filter((file) => file.endsWith('.jar')).sort();
  return [...directories, ...jars.map((file) => join(home, 'lib', file))].join(':');
}
