import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StackSettings } from '../settings.ts';

/** Where a server's data lies; survives `down`, removed by `reset`. */
export function dataDirectory(settings: StackSettings, name: string): string {
  return join(settings.home, 'data', name);
}

/** Where the configuration files that we write for a server lie; written anew before each start. */
export function configurationDirectory(settings: StackSettings, name: string): string {
  return join(settings.home, 'conf', name);
}

/** A directory for what a process unpacks or spools while it runs. */
export function temporaryDirectory(settings: StackSettings, name: string): string {
  const directory = join(settings.home, 'tmp', name);
  mkdirSync(directory, { recursive: true });
  return directory;
}

export function writeConfiguration(settings: StackSettings, name: string, file: string, text: string): string {
  const directory = configurationDirectory(settings, name);
  mkdirSync(directory, { recursive: true });
  const path = join(directory, file);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
}

/** `key=value` lines. */
export function properties(entries: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(entries)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** A Hadoop configuration file. */
export function hadoopXml(entries: Readonly<Record<string, string | number | boolean>>): string {
  const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  const lines = Object.entries(entries).map(
    ([name, value]) => `  <property><name>${escape(name)}</name><value>${escape(String(value))}</value></property>\n`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<configuration>\n${lines.join('')}</configuration>\n`;
}

/**
 * Writes a Java argument file that puts `before` and then every jar of `libraryDirectories` on the class path, in a fixed
 * order, and answers the argument that names it. A class path in a file keeps command lines short and readable.
 */
export function writeClassPath(
  settings: StackSettings,
  name: string,
  before: readonly string[],
  libraryDirectories: readonly string[],
): string {
  const jars = libraryDirectories.flatMap((directory) =>
    readdirSync(directory)
      .filter((file) => file.endsWith('.jar'))
      .sort()
      .map((file) => join(directory, file)),
  );
  const quoted = [...before, ...jars].join(':').replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return `@${writeConfiguration(settings, name, 'classpath.txt', `-cp "${quoted}"\n`)}`;
}

/** The text of a file that ships with the project, beside the servers. */
export function projectFile(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}
