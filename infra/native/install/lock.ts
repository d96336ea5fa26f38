import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { GridError } from '../../../grid/errors.ts';

/** One file that a Maven project resolves to. */
export interface LockedJar {
  /** `group:artifact:version[:classifier][@extension]`; the extension is `jar` unless it is given. */
  readonly coordinates: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** One wheel of a Python package for one platform. */
export interface LockedWheel {
  /** The wheel's compatibility tags, as pip's `--platform` and `--python-version` take them. */
  readonly platforms: readonly string[];
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface MavenLock {
  readonly jars: readonly LockedJar[];
}

export interface WheelLock {
  /** `name==version` */
  readonly requirement: string;
  readonly pythonVersion: string;
  /** By `<platform>-<architecture>` as Node names them, such as `linux-x64`. */
  readonly wheels: Readonly<Record<string, LockedWheel>>;
}

/** A Python package that is published as its source archive alone, the same for every platform. */
export interface SourceLock {
  /** `name==version` */
  readonly requirement: string;
  readonly source: { readonly sha256: string; readonly sizeBytes: number };
}

export function lockPath(name: string): URL {
  return new URL(`../locks/${name}.json`, import.meta.url);
}

export function readMavenLock(name: string): MavenLock {
  return JSON.parse(readFileSync(lockPath(name), 'utf8')) as MavenLock;
}

export function readWheelLock(name: string): WheelLock {
  return JSON.parse(readFileSync(lockPath(name), 'utf8')) as WheelLock;
}

export function readSourceLock(name: string): SourceLock {
  return JSON.parse(readFileSync(lockPath(name), 'utf8')) as SourceLock;
}

/** A short mark of what a lock file says, so that an installation made from another version of it is told apart. */
export function lockMark(name: string, ...more: readonly string[]): string {
  const hash = createHash('sha256').update(readFileSync(lockPath(name)));
  for (const text of more) hash.update('\0').update(text);
  return hash.digest('hex').slice(0, 12);
}

/** Where a file of these coordinates lies in a Maven repository. */
export function repositoryPath(coordinates: string): string {
  const [name = '', extension = 'jar'] = coordinates.split('@');
  const [group = '', artifact = '', version = '', classifier] = name.split(':');
  const suffix = classifier === undefined ? '' : `-${classifier}`;
  return `${group.replaceAll('.', '/')}/${artifact}/${version}/${artifact}-${version}${suffix}.${extension}`;
}

/**
 * @throws GridError `checksum-mismatch` when the file is not the one that was locked.
 */
export async function verifyFile(path: string, what: string, sha256: string): Promise<void> {
  const found = await sha256Of(path);
  if (found === sha256) return;
  throw new GridError(
    'checksum-mismatch',
    `Checking ${what}: its SHA-256 is ${found}, but the lock file says ${sha256}. The registry or mirror served something else than was pinned; ${path} was not installed. Try again, or check the mirror.`,
  );
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
