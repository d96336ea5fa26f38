import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ShareFile } from './share-file.ts';

interface Kind {
  readonly name: RegExp;
  readonly most: number;
  readonly mostBytes: number;
}

/** What is taken of packages: the first of each kind, in the order of names. */
const KINDS: readonly Kind[] = [
  { name: /^(?:licen[cs]e|readme|change-?log|history|security)\b/i, most: 50, mostBytes: 200_000 },
  { name: /\.(?:c|h|cc|cpp|py|rs|java|ts|cjs|mjs|js)$/i, most: 60, mostBytes: 60_000 },
  { name: /\.(?:json|ya?ml|xml|proto|toml|ini|css|html|map)$/i, most: 50, mostBytes: 100_000 },
  { name: /\.(?:png|gif|jpe?g|svg|ico|woff2?)$/i, most: 24, mostBytes: 500_000 },
  { name: /\.(?:zip|gz|tgz|bz2|xz)$/i, most: 8, mostBytes: 500_000 },
  { name: /\.(?:wasm|node|exe|dll|so)$/i, most: 3, mostBytes: 1_500_000 },
];
/** Of one package, so that it is not all of one. */
const MOST_OF_A_PACKAGE = 2;
const MOST_DEPTH = 4;
const JARS = 3;
const MOST_JAR_BYTES = 60_000;

/**
 * Real files that every machine has after set-up: of the packages of npm, and archives of the servers, which are zips.
 *
 * @param packages the directory `node_modules`
 * @param software where the stack's servers are installed
 */
export async function* installedFiles(packages: string, software: string): AsyncGenerator<ShareFile, void, undefined> {
  const left = new Map(KINDS.map((kind) => [kind, kind.most]));
  for (const name of await packageFolders(packages)) {
    if ([...left.values()].every((count) => count === 0)) break;
    for (const [path, kind] of await chosenOf(join(packages, name))) {
      const count = left.get(kind) ?? 0;
      if (count === 0) continue;
      left.set(kind, count - 1);
      yield { path: `Rechner 7/Projekte/${name}/${path}`, bytes: await readFile(join(packages, name, path)) };
    }
  }
  yield* jars(software);
}

/** `name` and `@scope/name`. */
async function packageFolders(packages: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { name } of await entriesOf(packages)) {
    if (name.startsWith('.')) continue;
    if (!name.startsWith('@')) found.push(name);
    else found.push(...(await entriesOf(join(packages, name))).map((inner) => `${name}/${inner.name}`));
  }
  return found;
}

async function chosenOf(folder: string): Promise<readonly (readonly [path: string, kind: Kind])[]> {
  const chosen: (readonly [string, Kind])[] = [];
  const counts = new Map<Kind, number>();
  const look = async (below: string, depth: number): Promise<void> => {
    for (const entry of await entriesOf(join(folder, below))) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory() && depth < MOST_DEPTH && entry.name !== 'node_modules') await look(path, depth + 1);
      const kind = entry.isFile() ? KINDS.find(({ name }) => name.test(entry.name)) : undefined;
      if (kind === undefined || (counts.get(kind) ?? 0) >= MOST_OF_A_PACKAGE) continue;
      const { size } = await stat(join(folder, path));
      if (size === 0 || size > kind.mostBytes) continue;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      chosen.push([path, kind]);
    }
  };
  await look('', 0);
  return chosen;
}

/** In the order of their names; none where there is no such directory. */
async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
}

async function* jars(software: string): AsyncGenerator<ShareFile, void, undefined> {
  let count = 0;
  for (const server of await entriesOf(software)) {
    if (!server.isDirectory()) continue;
    const directory = join(software, server.name, 'lib');
    for (const { name } of await entriesOf(directory)) {
      const { size } = await stat(join(directory, name));
      if (!name.endsWith('.jar') || size > MOST_JAR_BYTES) continue;
      yield { path: `Rechner 7/Programme/${name}`, bytes: await readFile(join(directory, name)) };
      if (++count === JARS) return;
    }
  }
}
