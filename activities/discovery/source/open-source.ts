import { stat } from 'node:fs/promises';
import type { HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import { nameBytes } from '../../../grid/legacy/path-text.ts';
import { HdfsSource } from './hdfs-source.ts';
import type { LegacySource } from './legacy-source.ts';
import { LocalSource } from './local-source.ts';

export interface SourceOptions {
  readonly hdfs: HdfsClient;
  readonly maxFileBytes: number;
  readonly landingDirectory: string;
}

/** @param root as {@link LegacySource.root} has it */
export function openSource(root: string, options: SourceOptions): LegacySource {
  const path = nameBytes(root.slice(root.indexOf(':') + 1));
  if (!root.startsWith('hdfs:')) return new LocalSource(path, options.maxFileBytes);
  return new HdfsSource({ ...options, directory: path.toString() });
}

/**
 * The share that a job was asked to crawl.
 *
 * @param given as people write it: `/mnt/share`, `file:/mnt/share`, `hdfs:/exports`, `hdfs:///exports`
 * @throws GridError `not-discoverable`: it is no directory, or cannot be reached
 */
export async function sourceOfInput(given: string, options: SourceOptions): Promise<LegacySource> {
  const isHdfs = given.startsWith('hdfs:');
  const path = given
    .replace(/^(?:hdfs|file):/, '')
    .replaceAll(/\/{2,}/g, '/')
    .replace(/(?<=.)\/$/, '');
  if (path.split('/').some((name) => name === '.' || name === '..')) {
    throw notDiscoverable(given, 'it has a . or .. in it. Name it without.');
  }
  if (isHdfs) {
    const status = await options.hdfs.status(path);
    if (status?.type !== 'directory')
      throw notDiscoverable(given, 'HDFS has no such directory. Name one that is there.');
    return new HdfsSource({ ...options, directory: path });
  }
  try {
    if (!(await stat(path)).isDirectory()) {
      throw notDiscoverable(given, 'it is no directory. Name a directory.');
    }
  } catch (error) {
    if (error instanceof GridError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw notDiscoverable(
      given,
      `this worker cannot see it (${code}). Name a directory that every batch worker sees; a share has to be mounted first. What is catalogued stays.`,
    );
  }
  return new LocalSource(Buffer.from(path), options.maxFileBytes);
}

function notDiscoverable(given: string, why: string): GridError {
  return new GridError('not-discoverable', `Discovering the legacy files of ${given}: ${why}`);
}
