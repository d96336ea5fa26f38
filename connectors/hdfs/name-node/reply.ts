import { z } from 'zod';
import type { CrcType } from '../write/checksum.ts';
import { errorOfMangledReply } from '../failure.ts';
import type { FileChecksum, FileStatus } from '../port.ts';
import type { Reply } from './name-nodes.ts';
import { childOf, nameOf } from '../path.ts';

const fileStatus = z.object({
  pathSuffix: z.string(),
  type: z.enum(['FILE', 'DIRECTORY', 'SYMLINK']),
  length: z.number().int().nonnegative(),
  blockSize: z.number().int().nonnegative(),
  replication: z.number().int().nonnegative(),
  modificationTime: z.number(),
  fileId: z.number().int(),
  owner: z.string(),
  group: z.string(),
  permission: z.string(),
});

const TYPES = { FILE: 'file', DIRECTORY: 'directory', SYMLINK: 'symlink' } as const;

const booleanReply = z.object({ boolean: z.boolean() });
const locationReply = z.object({ Location: z.url() });
const statusReply = z.object({ FileStatus: fileStatus });
const checksumReply = z.object({
  FileChecksum: z.object({
    algorithm: z.string(),
    bytes: z.string().regex(/^(?:[0-9a-fA-F]{2})+$/),
  }),
});
const listingReply = z.object({
  DirectoryListing: z.object({
    partialListing: z.object({ FileStatuses: z.object({ FileStatus: z.array(fileStatus) }) }),
    remainingEntries: z.number().int().nonnegative(),
  }),
});
const healthReply = z.object({
  beans: z.array(z.object({ FSState: z.string(), NumLiveDataNodes: z.number().int().nonnegative() })).min(1),
});

const defaultsReply = z.object({ FsServerDefaults: z.object({ checksumType: z.number().int() }) });

function parse<T>(schema: z.ZodType<T>, reply: Reply): T {
  const parsed = schema.safeParse(reply.body);
  if (!parsed.success) throw errorOfMangledReply(reply.attempt, reply.body);
  return parsed.data;
}

/** The answer of RENAME, DELETE and MKDIRS. */
export function booleanIn(reply: Reply): boolean {
  return parse(booleanReply, reply).boolean;
}

/**
 * The DataNode's URL with which an operation goes on: in the body where `noredirect` is known, else in the header. The
 * NameNode leaves non-ASCII characters of the path as they are; here they are percent-encoded.
 */
export function locationIn(reply: Reply): string {
  const header = reply.location === undefined ? '' : Buffer.from(reply.location, 'latin1').toString('utf8');
  const location = reply.status === 307 && URL.canParse(header) ? header : parse(locationReply, reply).Location;
  return new URL(location).href;
}

/** The answer of GETFILESTATUS for `path`. */
export function statusIn(reply: Reply, path: string): FileStatus {
  return toStatus(parse(statusReply, reply).FileStatus, path);
}

/** The answer of GETFILECHECKSUM. */
export function checksumIn(reply: Reply): FileChecksum {
  const { algorithm, bytes } = parse(checksumReply, reply).FileChecksum;
  return { algorithm, hex: bytes.toLowerCase() };
}

/** The CRC type in the answer of GETSERVERDEFAULTS (Hadoop's `DataChecksum.Type`: 1 CRC32, 2 CRC32C). */
export function announcedCrcTypeIn(reply: Reply): CrcType {
  return parse(defaultsReply, reply).FsServerDefaults.checksumType === 1 ? 'CRC32' : 'CRC32C';
}

/** One page of a directory. */
export interface ListingPage {
  readonly entries: readonly FileStatus[];
  readonly remaining: number;
  /** The path is a file: its one entry has no name. */
  readonly isFile: boolean;
}

/** The answer of LISTSTATUS_BATCH for `directory`. */
export function listingIn(reply: Reply, directory: string): ListingPage {
  const { partialListing, remainingEntries } = parse(listingReply, reply).DirectoryListing;
  const raw = partialListing.FileStatuses.FileStatus;
  return {
    entries: raw.map((entry) => toStatus(entry, childOf(directory, entry.pathSuffix))),
    remaining: remainingEntries,
    isFile: raw.length === 1 && raw[0]?.pathSuffix === '',
  };
}

/** The NameNode's own report of its state, from `/jmx`; undefined when the body is something else. */
export function healthIn(body: unknown): { readonly state: string; readonly liveDataNodes: number } | undefined {
  const bean = healthReply.safeParse(body).data?.beans[0];
  return bean === undefined ? undefined : { state: bean.FSState, liveDataNodes: bean.NumLiveDataNodes };
}

function toStatus(raw: z.output<typeof fileStatus>, path: string): FileStatus {
  return {
    path,
    name: nameOf(path),
    type: TYPES[raw.type],
    lengthBytes: raw.length,
    blockSizeBytes: raw.blockSize,
    replication: raw.replication,
    modifiedAtMs: raw.modificationTime,
    fileId: raw.fileId,
    owner: raw.owner,
    group: raw.group,
    permission: raw.permission,
  };
}
