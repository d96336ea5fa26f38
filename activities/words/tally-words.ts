import { isDeepStrictEqual } from 'node:util';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../grid/errors.ts';
import { inLanes } from '../../grid/lanes.ts';
import type { Tallied, WordsRun } from '../../workflows/words/contract.ts';
import { CountDirectory, type FileVersion } from './count-directory.ts';
import type { WordsDependencies } from './dependencies.ts';
import { filesByName, readFileTotals } from './file-totals.ts';
import { databaseStatement, dropLines, dropWords, linesTableStatement, tallyStatement } from './statements.ts';
import { versionOf } from './survey.ts';

/** Files looked at at once. */
const LANES = 8;

/**
 * Lets Hive count each word of each file, into a table of the count's own. Begun anew by whoever tries it again.
 *
 * @throws GridError `files-changed`: a file is not any more what it was when it was looked at
 */
export async function tallyWords(deps: WordsDependencies, run: WordsRun, signal: AbortSignal): Promise<Tallied> {
  const { hdfs, hive, database, analysisDirectory } = deps;
  const { countId, input } = run;
  const tables = { database, countId };
  const directory = new CountDirectory(hdfs, analysisDirectory, countId);
  const call = { signal };
  const dialect = await hive.dialect(call);
  await hive.execute(databaseStatement(tables), call);
  if (input.table === undefined) {
    // What an earlier look listed may be another list.
    await hive.execute(dropLines(tables), call);
    await hive.execute(await linesTableStatement(tables, dialect, directory.links), call);
  }
  await hive.execute(dropWords(tables), call);
  await hive.execute(tallyStatement(tables, dialect, input), call);
  if (input.table !== undefined) return { distrusted: 0 };
  const files = await directory.readFiles();
  await refuseChanged(hdfs, files, signal);
  // Files that were read to their end are what they are.
  const known = new Set(await directory.readDistrusted());
  const byName = filesByName(files);
  const distrusted = (await readFileTotals(hive, tables, call))
    .filter(({ replaced }) => replaced > 0)
    .flatMap(({ name }) => byName.get(name) ?? [])
    .filter(({ path, reading }) => reading === 'direct' && !known.has(path));
  if (distrusted.length > 0) await directory.writeDistrusted([...known, ...distrusted.map(({ path }) => path)]);
  return { distrusted: distrusted.length };
}

/** Each file must still be what it was when it was looked at. */
async function refuseChanged(hdfs: HdfsClient, files: readonly FileVersion[], signal: AbortSignal): Promise<void> {
  const unchecked = files.values();
  await inLanes(
    LANES,
    () => unchecked.next().value,
    async (file) => {
      signal.throwIfAborted();
      const now = await hdfs.status(file.path);
      if (now === undefined || !isDeepStrictEqual(versionOf(now), versionOf(file))) {
        throw new GridError(
          'files-changed',
          `Counting the words of ${file.path}: it was changed while it was counted. Count again when nobody writes to it.`,
        );
      }
    },
  );
}
