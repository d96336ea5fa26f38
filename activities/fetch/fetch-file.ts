import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ifThere, type HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import type { ContentDocument, LegacyCatalogue } from '../../connectors/mongodb/legacy-catalogue.ts';
import { GridError } from '../../grid/errors.ts';
import type { FetchInput, FetchResult } from '../../workflows/fetch/contract.ts';
import { LandingPaths } from '../discovery/landing-paths.ts';
import { contentAt } from './content-at.ts';

/** What the activity of `fetchLegacyFile` needs. */
export interface FetchDependencies {
  readonly hdfs: HdfsClient;
  readonly catalogue: LegacyCatalogue;
  /** HDFS directory of what was landed. */
  readonly directory: string;
}

/**
 * Writes a legacy file where it is wanted, and compares it with its hash before it gets its name. One that is there already is left, when it is the
 * same.
 *
 * @throws GridError `legacy-not-found`; `legacy-conflict`: another file is there; `hdfs-verification-failed`: what lies in HDFS is not what was landed
 */
export async function fetchFile(
  deps: FetchDependencies,
  { file, to }: FetchInput,
  signal: AbortSignal,
): Promise<FetchResult> {
  const content = await contentOf(deps, file);
  const { _id: sha256, extension = 'bin', size = 0, verdict, paths = [] } = content;
  const target = to ?? `hdfs:${new LandingPaths(deps.directory).fetched(sha256, extension)}`;
  const bytes = bytesOf(deps.hdfs, content, signal);
  if (target.startsWith('hdfs:')) await toHdfs(deps, sha256, bytes, target.slice('hdfs:'.length));
  else await toDisk(sha256, bytes, target);
  return { sha256, bytes: size, to: target, class: verdict?.class ?? content.status, paths: paths.slice(0, 20) };
}

async function contentOf({ catalogue }: FetchDependencies, file: string): Promise<ContentDocument> {
  const found = await contentAt(catalogue, file);
  if (found !== undefined) return found;
  throw new GridError(
    'legacy-not-found',
    `Fetching the legacy file ${file.slice(0, 300)}: the catalogue has no content of this name. Give its SHA-256, or its path as the catalogue writes it (file:/…, hdfs:/…).`,
  );
}

async function* bytesOf(
  hdfs: HdfsClient,
  { where, size = 0 }: ContentDocument,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  if (where === undefined || size === 0) return;
  const range = where.kind === 'pack' ? { offset: where.offset, length: size } : {};
  for await (const chunk of await hdfs.read(where.path, range)) {
    signal.throwIfAborted();
    if (chunk instanceof Buffer) yield chunk;
  }
}

/** Passes chunks on, and fails at their end when they are not what they should be. */
async function* compared(sha256: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
  const found = hash.digest('hex');
  if (found !== sha256) {
    throw new GridError(
      'hdfs-verification-failed',
      `Fetching the content ${sha256}: what lies in HDFS has the hash ${found}. Look at HDFS's health (hdfs fsck).`,
    );
  }
}

async function toHdfs(
  { hdfs }: FetchDependencies,
  sha256: string,
  bytes: AsyncIterable<Buffer>,
  path: string,
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`;
  const writer = await hdfs.create(temporary, { createParent: true });
  try {
    for await (const chunk of compared(sha256, bytes)) await writer.write(chunk);
    await writer.close();
    if (await hdfs.rename(temporary, path)) return;
    const there = await ifThere(hdfs.read(path));
    if (there === undefined || (await hashOf(there)) !== sha256) throw conflict(sha256, `hdfs:${path}`);
  } catch (error) {
    await writer.abort();
    throw error;
  } finally {
    await hdfs.delete(temporary);
  }
}

async function toDisk(sha256: string, bytes: AsyncIterable<Buffer>, path: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`;
  await mkdir(dirname(path), { recursive: true });
  try {
    const file = await open(temporary, 'wx', 0o640);
    try {
      for await (const chunk of compared(sha256, bytes)) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw writeFailure(path, error);
    const there = await open(path, 'r');
    try {
      if ((await hashOf(there.createReadStream({ autoClose: false }))) !== sha256) throw conflict(sha256, path);
    } finally {
      await there.close();
    }
  } finally {
    await rm(temporary, { force: true });
  }
}

async function hashOf(chunks: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) if (chunk instanceof Buffer) hash.update(chunk);
  return hash.digest('hex');
}

function conflict(sha256: string, path: string): GridError {
  return new GridError(
    'legacy-conflict',
    `Fetching the content ${sha256} to ${path}: another file is there, and is left as it is. Name another place.`,
  );
}

function writeFailure(path: string, error: unknown): unknown {
  if (error instanceof GridError || !(error instanceof Error) || !('code' in error)) return error;
  return new GridError(
    'legacy-conflict',
    `Writing ${path} on the worker's machine: ${error.message}. Name a place that the worker may write to.`,
    { cause: error },
  );
}
