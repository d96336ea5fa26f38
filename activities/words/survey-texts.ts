import { GridError } from '../../grid/errors.ts';
import { wordsResult, type SurveyRequest, type Surveyed, type WordsResult } from '../../workflows/words/contract.ts';
import { CountDirectory, isRead } from './count-directory.ts';
import type { WordsDependencies } from './dependencies.ts';
import { listFiles } from './list-files.ts';
import { tableOf } from './statements.ts';
import { questionOf, subjectOf, survey } from './survey.ts';

/** How many skipped files a refusal names. */
const NAMED_FILES = 3;

/**
 * Finds the files of a count, and looks at how each can be read. Where the same question about the same files has been answered,
 * the answer comes back with it.
 *
 * @throws GridError `not-countable`: nothing is there, or nothing that could be counted
 */
export async function surveyTexts(
  deps: WordsDependencies,
  { run, thorough }: SurveyRequest,
  signal: AbortSignal,
): Promise<Surveyed> {
  const { input, countId } = run;
  if (input.table !== undefined) return surveyTable(deps, input.table, input.column, signal);
  const root = subjectOf(input, deps.sampleTextsDirectory);
  const listed = await listSamplesToo(deps, root, input.path === undefined, signal);
  const question = questionOf(input, root, listed);
  if (!input.recount && !thorough) {
    const kept = await keptAnswer(deps, question);
    if (kept !== undefined) return { of: root, question, files: 0, bytes: 0, skippedFiles: 0, countable: false, kept };
  }
  const directory = new CountDirectory(deps.hdfs, deps.analysisDirectory, countId);
  const distrusted = new Set(await directory.readDistrusted());
  const files = await survey(listed, {
    hdfs: deps.hdfs,
    directory,
    root,
    charset: input.charset,
    distrusted,
    thorough,
    signal,
  });
  const skipped = files.filter(({ reading }) => reading === 'skipped');
  if (skipped.length > 0 && skipped.length === files.length) {
    const named = skipped.slice(0, NAMED_FILES).map(({ path, reason }) => `${path}: ${reason ?? ''}`);
    const more = skipped.length > NAMED_FILES ? `; and ${skipped.length - NAMED_FILES} more` : '';
    throw new GridError(
      'not-countable',
      `Counting the words of ${root}: none of its ${files.length} files is text that could be counted. ${named.join('; ')}${more}.`,
    );
  }
  await directory.writeFiles(files);
  return {
    of: root,
    question,
    files: files.length,
    bytes: files.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0),
    skippedFiles: skipped.length,
    countable: files.some(isRead),
  };
}

async function listSamplesToo(deps: WordsDependencies, root: string, isDefault: boolean, signal: AbortSignal) {
  try {
    return await listFiles(deps.hdfs, root, signal);
  } catch (error) {
    if (!isDefault || !(error instanceof GridError) || error.code !== 'not-countable') throw error;
    throw new GridError(
      'not-countable',
      `Counting the words of the sample texts: ${root} is not there. \`npm start\` puts them there; or name another path: {"path": "/…"}.`,
      { cause: error },
    );
  }
}

/** What a table holds is Hive's to know: only whether it can be asked is looked at here. */
async function surveyTable(
  { hive }: WordsDependencies,
  table: string,
  column: string,
  signal: AbortSignal,
): Promise<Surveyed> {
  const rows = await hive.rows(`DESCRIBE ${tableOf(table)}`, { signal }).catch((error: unknown) => {
    if (!(error instanceof GridError) || error.code !== 'hive-not-found') throw error;
    throw new GridError(
      'unknown-table',
      `Counting the words of the table ${table}: Hive has no such table or view. Name it as database.table; npm run hive -- 'SHOW TABLES IN <database>' lists them.`,
      { cause: error },
    );
  });
  const columns = rows.map(([name]) => name ?? '').filter((name) => name !== '' && !name.startsWith('#'));
  if (!columns.includes(column.toLowerCase())) {
    throw new GridError(
      'unknown-column',
      `Counting the words of the table ${table}: it has no column ${column}. It has ${columns.slice(0, 20).join(', ')}; name one: {"column": "…"}.`,
    );
  }
  return { of: table, question: '', files: 0, bytes: 0, skippedFiles: 0, countable: true };
}

async function keptAnswer(deps: WordsDependencies, question: string): Promise<WordsResult | undefined> {
  const parsed = wordsResult.safeParse(await deps.answers.find(question));
  // One that an earlier version kept in another form is counted anew.
  return parsed.success ? { ...parsed.data, answeredFrom: 'kept' } : undefined;
}
