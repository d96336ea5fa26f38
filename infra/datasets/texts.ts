import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { entriesIfThere, type HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { inLanes } from '../../grid/lanes.ts';

/** What packages bring to be read: licences, read-mes, change logs. */
const TEXT_NAME = /^(?:licen[cs]e|readme|change-?log|changes|history|notice|authors|contributing|security)\b/i;
const MOST_FILES = 300;
const MOST_BYTES = 4 << 20;
/** Files that are written at once. */
const LANES = 8;

export interface ProvidedTexts {
  /** HDFS directory. */
  readonly directory: string;
  readonly files: number;
  readonly bytes: number;
}

interface SampleText {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
}

/**
 * Puts the sample texts into HDFS: licences and read-mes of the packages that npm has installed, a file for each. What is there in its
 * length stays.
 *
 * @param packages the directory `node_modules`
 * @throws GridError of HDFS; the signal's reason
 */
export async function provideTexts(
  hdfs: HdfsClient,
  packages: string,
  directory: string,
  signal: AbortSignal,
): Promise<ProvidedTexts> {
  const texts = await findTexts(packages);
  const there = new Map<string, number>();
  for await (const { name, lengthBytes } of entriesIfThere(hdfs.list(directory))) there.set(name, lengthBytes);
  const missing = texts.filter(({ name, bytes }) => there.get(name) !== bytes);
  await inLanes(
    LANES,
    () => missing.shift(),
    async ({ name, file }) => {
      signal.throwIfAborted();
      await hdfs.writeFile(`${directory}/${name}`, await readFile(file), { createParent: true, overwrite: true });
    },
  );
  return { directory, files: texts.length, bytes: texts.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** In the order of their names, the same for the same packages. */
async function findTexts(packages: string): Promise<readonly SampleText[]> {
  const texts: SampleText[] = [];
  for (const folder of await packageFolders(packages)) {
    for (const entry of (await readdir(join(packages, folder))).sort()) {
      if (!TEXT_NAME.test(entry)) continue;
      const file = join(packages, folder, entry);
      const status = await stat(file);
      if (!status.isFile() || status.size === 0 || status.size > MOST_BYTES) continue;
      texts.push({ name: `${folder.replace('/', '+')}+${entry}`, file, bytes: status.size });
      if (texts.length === MOST_FILES) return texts;
    }
  }
  return texts;
}

/** `name` and `@scope/name`. */
async function packageFolders(packages: string): Promise<readonly string[]> {
  const names = (await readdir(packages)).filter((name) => !name.startsWith('.')).sort();
  const folders = await Promise.all(
    names.map(async (name) =>
      name.startsWith('@') ? (await readdir(join(packages, name))).sort().map((inner) => `${name}/${inner}`) : [name],
    ),
  );
  return folders.flat();
}
