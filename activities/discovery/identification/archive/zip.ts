import { Readable } from 'node:stream';
import { Open, type CentralDirectory } from 'unzipper';
import { within } from '../../../../runtime/waiting/time-limit.ts';
import type { Budget } from '../identifier.ts';
import { detailOf, type MemberSink } from './member-sink.ts';
import { nameDecoder, printable, unsafeName } from './member-name.ts';
import { readZipDirectory, type ZipDirectory, type ZipEntry } from './zip-directory.ts';

/** What an archive says beside its members. */
export interface OpenedArchive {
  /** Why it is corrupt; undefined: it is not. */
  readonly damage?: string;
  readonly isEncrypted?: boolean;
  readonly warnings: readonly string[];
  readonly facts: Readonly<Record<string, unknown>>;
}

const LOCAL_BYTES = 30;
const DEFLATED = 8;
const STORED = 0;
const OPEN_MS = 60_000;
const FILE_TYPE = 0o170000;

/** An entry with its name, and where the library that reads it has it. */
export interface NamedEntry extends ZipEntry {
  readonly name: string;
}

/** A zip as both see it: our own reading of the directory, and the library that reads entries. */
export interface OpenZip {
  readonly directory: ZipDirectory;
  readonly entries: readonly NamedEntry[];
  /** Whether the library that reads entries lists it. */
  knows(entry: NamedEntry): boolean;
  open(entry: NamedEntry): Readable;
}

/** @returns a text: why it cannot be opened; what goes wrong is damage of the archive, not of the look */
export async function openZip(
  path: string,
  descriptor: number,
  size: number,
  budget: Budget,
): Promise<OpenZip | string> {
  try {
    return await open(path, descriptor, size, budget);
  } catch (error) {
    return detailOf(error);
  }
}

async function open(path: string, descriptor: number, size: number, budget: Budget): Promise<OpenZip | string> {
  const directory = readZipDirectory(descriptor, size, budget.entries);
  if (typeof directory === 'string') return directory;
  const decode = nameDecoder(directory.entries.filter(({ isUtf8 }) => !isUtf8).map(({ nameBytes }) => nameBytes));
  const entries = directory.entries.map((entry) => ({
    ...entry,
    name: entry.isUtf8 ? entry.nameBytes.toString('utf8') : decode(entry.nameBytes),
  }));
  let read: CentralDirectory | undefined;
  try {
    // Its own search takes the first end that it finds in the last 80 bytes; a long comment, or one like an end, misleads it.
    const options = { tailSize: size - directory.endOffset };
    const openFile = Open.file as (path: string, options: { tailSize: number }) => Promise<CentralDirectory>;
    // What is declared decides how much it allocates, so it must have been seen.
    if (directory.declared === directory.entries.length) read = await within(OPEN_MS, openFile(path, options));
  } catch {
    // Then it knows no entries, which is said.
  }
  const files = new Map(read?.files.map((file) => [file.offsetToLocalFileHeader, file]));
  return {
    directory,
    entries,
    knows: ({ offset }) => files.has(offset),
    // Of nothing, the library may wait for a descriptor that never comes.
    open: ({ offset, compressedBytes }) =>
      compressedBytes === 0 ? Readable.from([]) : (files.get(offset)?.stream() ?? Readable.from([])),
  };
}

/** Takes the members out of a zip. */
export async function unpackZip(zip: OpenZip, size: number, sink: MemberSink): Promise<OpenedArchive> {
  const { directory, entries } = zip;
  const warnings = [...directory.warnings];
  const overlapping = overlaps(entries);
  let encrypted = 0;
  let files = 0;
  let dropped = 0;
  for (const entry of entries) {
    if (!sink.count()) break;
    const shown = printable(entry.name);
    const { modifiedMs } = entry;
    if (entry.name.endsWith('/') && entry.bytes === 0) continue;
    files++;
    const unsafe = unsafeName(entry.name) ?? (entry.unixMode === undefined ? undefined : unsafeMode(entry.unixMode));
    if (unsafe !== undefined) sink.refuse(shown, unsafe, undefined, modifiedMs);
    else if (entry.isEncrypted) {
      encrypted++;
      sink.refuse(shown, 'encrypted', undefined, modifiedMs);
    } else if (entry.method !== STORED && entry.method !== DEFLATED)
      sink.refuse(shown, 'method', `method ${entry.method}`, modifiedMs);
    else if (overlapping.has(entry))
      sink.refuse(shown, 'overlap', 'its bytes belong to another member too', modifiedMs);
    else if (entry.offset + LOCAL_BYTES + entry.compressedBytes > size)
      sink.refuse(shown, 'damaged', 'it would end behind the end of the archive', modifiedMs);
    else {
      if (zip.knows(entry))
        await sink.take(shown, () => zip.open(entry), { bytes: entry.bytes, crc: entry.crc }, modifiedMs);
      else {
        dropped++;
        sink.refuse(shown, 'damaged', 'the library that reads zips does not list it', modifiedMs);
      }
    }
  }
  if (directory.declared > entries.length && entries.length > 0) {
    sink.refuse(`(${directory.declared - entries.length} further members)`, 'budget', 'they were not read');
  }
  if (dropped > 0)
    warnings.push(`unzipper does not list ${dropped} of ${entries.length} members of the central directory`);
  const damaged = sink.members.filter(
    ({ refused }) => refused === 'damaged' || refused === 'crc' || refused === 'size',
  ).length;
  return {
    warnings: damaged > 0 ? [...warnings, `${damaged} of ${files} members are damaged`] : warnings,
    isEncrypted: files > 0 && encrypted === files,
    ...(files > 0 && damaged === files ? { damage: 'none of its members can be read' } : {}),
    facts: { members: files, encrypted },
  };
}

function unsafeMode(mode: number): 'symbolic-link' | 'device' | undefined {
  switch (mode & FILE_TYPE) {
    case 0o120000:
      return 'symbolic-link';
    case 0o020000:
    case 0o060000:
    case 0o010000:
    case 0o140000:
      return 'device';
    default:
      return undefined;
  }
}

/** Entries that share bytes with one before them: that is how a small file holds petabytes. */
function overlaps(entries: readonly NamedEntry[]): ReadonlySet<NamedEntry> {
  const found = new Set<NamedEntry>();
  let end = 0;
  for (const entry of entries.toSorted((one, other) => one.offset - other.offset)) {
    if (entry.offset < end) found.add(entry);
    end = Math.max(end, entry.offset + LOCAL_BYTES + entry.nameBytes.length + entry.compressedBytes);
  }
  return found;
}
