import type { HiveCallOptions, HiveClient } from '../../connectors/hive/hive.ts';
import { readPath, type SurveyedFile } from './count-directory.ts';
import { filesQuery, type CountTables } from './statements.ts';

export interface FileTotals {
  /** Path as Hive names the file that it read. */
  readonly name: string;
  readonly total: number;
  readonly distinct: number;
  readonly emptyTokens: number;
  /** Words in which the replacement character stands. */
  readonly replaced: number;
}

/** What was counted in each file; a file without words has no row. */
export async function readFileTotals(
  hive: HiveClient,
  tables: CountTables,
  call: HiveCallOptions,
): Promise<readonly FileTotals[]> {
  const dialect = await hive.dialect(call);
  const totals: FileTotals[] = [];
  for await (const [name, ...figures] of hive.query(filesQuery(tables), call)) {
    const [total = 0, distinct = 0, emptyTokens = 0, replaced = 0] = figures.map(Number);
    totals.push({ name: dialect.pathOf(name ?? ''), total, distinct, emptyTokens, replaced });
  }
  return totals;
}

/** Surveyed files by the path that Hive reads for them. */
export function filesByName(files: readonly SurveyedFile[]): ReadonlyMap<string, SurveyedFile> {
  return new Map(files.map((file) => [readPath(file), file]));
}
