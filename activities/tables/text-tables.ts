import { readableName } from '../../connectors/hive/hive.ts';
import { GridError } from '../../grid/errors.ts';
import { DEFAULT_TEXT_TABLE, type TableResult, type TablesInput } from '../../workflows/tables/contract.ts';
import { textLines, textView } from './definitions.ts';
import type { TablesDependencies } from './dependencies.ts';
import { ensureTable } from './ensure-table.ts';
import { ensureView } from './ensure-view.ts';
import { filesBelow } from './files-below.ts';
import { describeTable } from './metastore.ts';
import { recordedDirectories } from './table-definition.ts';
import { leftOut, resultOf, unlessRefused } from './table-results.ts';

/** Makes the tables of texts, or brings them up to date: those that the input names, and `text_files`. */
export async function ensureTextTables(
  deps: TablesDependencies,
  { texts }: TablesInput,
  signal: AbortSignal,
): Promise<TableResult[]> {
  const results: TableResult[] = [];
  for (const name of new Set([DEFAULT_TEXT_TABLE, ...Object.keys(texts)])) {
    const table = { database: deps.database, name };
    const given = Object.hasOwn(texts, name) ? texts[name] : undefined;
    results.push(await unlessRefused(table, () => ensureTexts(deps, name, given, signal)));
  }
  return results;
}

/** @param given directories that it has to show from now on; without any those that it was told before, or the sample texts */
async function ensureTexts(
  deps: TablesDependencies,
  name: string,
  given: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<TableResult> {
  const { hdfs, hive, database } = deps;
  const call = { signal };
  const found = await describeTable(hive, { database, name: `${name}__lines` }, call);
  const directories = given ?? recordedDirectories(found) ?? [deps.sampleTextsDirectory];
  const present: string[] = [];
  const notes: string[] = [];
  for (const directory of directories) {
    const status = await hdfs.status(directory);
    if (status === undefined)
      notes.push(`${directory} is not there; it is shown once it is there and the job runs again`);
    else if (status.type === 'directory') present.push(directory);
    else {
      throw new GridError(
        'invalid-input',
        `Making the table ${readableName(database, name)}: ${directory} is a file. Name the directory that it lies in.`,
      );
    }
  }
  if (found === undefined && present.length === 0) return leftOut({ database, name }, notes.join('; '));
  const location = `${deps.analysisDirectory}/tables/${database}.${name}`;
  const lines = await ensureTable(hive, textLines(database, name, { location, directories, present }), call);
  // Last, so that nobody sees it before its lines are there.
  const view = await ensureView(hive, () => Promise.resolve(textView(database, name)), call);
  const figures = await filesBelow(hdfs, present, signal);
  return resultOf({ database, name }, [lines, view], { shows: present, notes, ...figures });
}
