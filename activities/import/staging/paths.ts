import { createHash } from 'node:crypto';
import type { ImportRun } from '../../../workflows/import/activity-contract.ts';
import type { SourceName, TableId } from '../../../grid/history/sql-source.ts';
import { escapePartitionValue } from '../../../grid/partition-path.ts';

/** HDFS allows 255 bytes in a name (`dfs.namenode.fs-limits.max-component-length`). */
const MAX_NAME_BYTES = 200;

/**
 * The directory name of a table, `<schema>.<table>`: what HDFS or Hive give a meaning to is escaped, and so are dots within
 * the two names, so that no two tables share one. A name that would be too long ends in a digest of the whole instead.
 */
export function tableSegment({ schema, name }: TableId): string {
  const segment = [schema, name].map((part) => escapePartitionValue(part).replaceAll('.', '%2E')).join('.');
  const bytes = Buffer.from(segment);
  if (bytes.length <= MAX_NAME_BYTES) return segment;
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  // Cut between characters, and not within an escape.
  const start = bytes
    .subarray(0, MAX_NAME_BYTES - 1 - digest.length)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')
    .replace(/%[0-9A-F]?$/, '');
  return `${start}~${digest}`;
}

/** Published data of a table: its runs' directories and `_commits`. */
export function tableDirectory(importsDirectory: string, source: SourceName, table: TableId): string {
  return `${importsDirectory}/${source}/${tableSegment(table)}`;
}

/** What a run published of a table. */
export function runDirectory(importsDirectory: string, source: SourceName, table: TableId, runId: string): string {
  return `${tableDirectory(importsDirectory, source, table)}/run=${runId}`;
}

/** Commit records of a table, `<number, 20 digits>.json`. */
export function commitsDirectory(importsDirectory: string, source: SourceName, table: TableId): string {
  return `${tableDirectory(importsDirectory, source, table)}/_commits`;
}

/** Unpublished work on a source's tables: `<schema>.<table>/<run id>/`. */
export function sourceWorkDirectory(importsDirectory: string, source: SourceName): string {
  return `${importsDirectory}/.tmp/${source}`;
}

/** Unpublished work of a run on a table. */
export function workRoot(importsDirectory: string, run: Pick<ImportRun, 'source' | 'runId'>, table: TableId): string {
  return `${sourceWorkDirectory(importsDirectory, run.source)}/${tableSegment(table)}/${run.runId}`;
}

const PART = /^part-(\d{5,})\.tsv\.gz$/;

/** File name of a split's rows. */
export function partFile(split: number): string {
  return `part-${String(split).padStart(5, '0')}.tsv.gz`;
}

/** The split whose rows a file of this name holds; undefined for other files. */
export function splitOfFile(name: string): number | undefined {
  const digits = PART.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
