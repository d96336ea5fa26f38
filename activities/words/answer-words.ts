import type { HiveCallOptions, SqlDialect } from '../../connectors/hive/hive.ts';
import { keepWordCount } from '../../connectors/postgres/serving/word-counts.ts';
import type {
  Coverage,
  FileCounts,
  WordCount,
  WordsInput,
  WordsResult,
  WordsRun,
} from '../../workflows/words/contract.ts';
import { CountDirectory, isRead, type SurveyedFile } from './count-directory.ts';
import type { WordsDependencies } from './dependencies.ts';
import { filesByName, readFileTotals, type FileTotals } from './file-totals.ts';
import {
  askedQuery,
  distinctQuery,
  filesQuery,
  lowerQuery,
  tallyStatement,
  topQuery,
  type CountTables,
} from './statements.ts';
import { questionOf, subjectOf } from './survey.ts';

/** Of more files, or skipped ones, the first are told: the answer must fit into a workflow's history. */
const MOST_FILES = 1_000;
const MOST_SKIPPED = 100;

/** Asks Hive's table of words all that was asked, and keeps the answer. */
export async function answerWords(
  deps: WordsDependencies,
  { run, startedMs }: { readonly run: WordsRun; readonly startedMs: number },
  signal: AbortSignal,
): Promise<WordsResult> {
  const { hdfs, hive, database, analysisDirectory, answers, serving } = deps;
  const { input, countId } = run;
  const tables = { database, countId };
  const call = { signal };
  const files = input.table === undefined ? await new CountDirectory(hdfs, analysisDirectory, countId).readFiles() : [];
  const isEmpty = input.table === undefined && !files.some(isRead);
  const totals = isEmpty ? [] : await readFileTotals(hive, tables, call);
  const [distinct, top, asked] = isEmpty
    ? [0, [], new Map<string, number>()]
    : await Promise.all([
        distinctOf(deps, tables, totals, call),
        topOf(deps, tables, input, call),
        askedOf(deps, tables, input, call),
      ]);
  const of = subjectOf(input, deps.sampleTextsDirectory);
  const lower = isEmpty ? input.words : await asCounted(deps, input, call);
  const perFile = perFileOf(input, lower, files, totals, asked);
  const question = input.table === undefined ? questionOf(input, of, files) : '';
  const perFileLeftOut = Math.max(0, perFile.length - MOST_FILES);
  const result: WordsResult = {
    question,
    of,
    tokenizer: input.tokenizer,
    caseSensitive: input.caseSensitive,
    total: totals.reduce((sum, { total }) => sum + total, 0),
    distinct,
    emptyTokens: totals.reduce((sum, { emptyTokens }) => sum + emptyTokens, 0),
    words: input.words.map((word, index) => ({ word, count: sumOf(asked, lower[index] ?? word, totals, input) })),
    top,
    ...(input.perFile && input.table === undefined ? { perFile: perFile.slice(0, MOST_FILES) } : {}),
    perFileLeftOut,
    ...(perFileLeftOut === 0 ? {} : { perFilePath: await writePerFile(deps, question, perFile) }),
    ...(input.table === undefined ? { coverage: coverageOf(files) } : {}),
    sql: isEmpty ? [] : sqlOf(await hive.dialect(call), tables, input),
    answeredFrom: 'hive',
    countedAt: new Date().toISOString(),
    durationMs: Math.max(0, Date.now() - startedMs),
  };
  if (question !== '') {
    const { countedAt, total, distinct: distinctWords } = result;
    await keepWordCount(serving, { question, subject: of, countedAt, total, distinct: distinctWords, answer: result });
    await answers.put(question, result);
  }
  return result;
}

async function distinctOf(
  { hive }: WordsDependencies,
  tables: CountTables,
  totals: readonly FileTotals[],
  call: HiveCallOptions,
): Promise<number> {
  const [only] = totals;
  // What differs within the only file differs in all.
  if (only === undefined || totals.length === 1) return only?.distinct ?? 0;
  const [row] = await hive.rows(distinctQuery(tables), call);
  return Number(row?.[0] ?? 0);
}

async function topOf(
  { hive }: WordsDependencies,
  tables: CountTables,
  input: WordsInput,
  call: HiveCallOptions,
): Promise<WordCount[]> {
  if (input.top === 0) return [];
  const rows = await hive.rows(topQuery(tables, input), call);
  return rows.map(([word, count]) => ({ word: word ?? '', count: Number(count) }));
}

/** Writes the counts of all files where they stay, under the name of the question. */
async function writePerFile(
  { hdfs, analysisDirectory }: WordsDependencies,
  question: string,
  perFile: readonly FileCounts[],
): Promise<string> {
  const path = `${analysisDirectory}/word-counts/${question}.jsonl`;
  const lines = perFile.map((file) => `${JSON.stringify(file)}\n`);
  await hdfs.writeFile(path, Buffer.from(lines.join('')), { createParent: true, overwrite: true });
  return path;
}

/** Counts by word, a NUL, and file, or nothing where files are not told apart. */
async function askedOf(
  { hive }: WordsDependencies,
  tables: CountTables,
  input: WordsInput,
  call: HiveCallOptions,
): Promise<ReadonlyMap<string, number>> {
  if (input.words.length === 0) return new Map();
  const dialect = await hive.dialect(call);
  const rows = await hive.rows(askedQuery(tables, input), call);
  return new Map(rows.map(([word, file, count]) => [keyOf(word ?? '', dialect.pathOf(file ?? '')), Number(count)]));
}

function keyOf(word: string, file: string): string {
  return `${word}\u0000${file}`;
}

/** The asked words as they were counted: Hive's idea of lower case is what counts. */
async function asCounted(
  { hive }: WordsDependencies,
  input: WordsInput,
  call: HiveCallOptions,
): Promise<readonly string[]> {
  if (input.caseSensitive || input.words.length === 0) return input.words;
  const [row] = await hive.rows(lowerQuery(input), call);
  return input.words.map((word, index) => row?.[index] ?? word);
}

function sumOf(
  asked: ReadonlyMap<string, number>,
  word: string,
  totals: readonly FileTotals[],
  { perFile }: WordsInput,
): number {
  if (!perFile) return asked.get(keyOf(word, '')) ?? 0;
  return totals.reduce((sum, { name }) => sum + (asked.get(keyOf(word, name)) ?? 0), 0);
}

function perFileOf(
  input: WordsInput,
  words: readonly string[],
  files: readonly SurveyedFile[],
  totals: readonly FileTotals[],
  asked: ReadonlyMap<string, number>,
): readonly FileCounts[] {
  if (!input.perFile) return [];
  const byName = new Map(totals.map((file) => [file.name, file]));
  return [...filesByName(files)]
    .filter(([, { reading }]) => reading !== 'skipped')
    .map(([name, { path }]) => ({
      path,
      total: byName.get(name)?.total ?? 0,
      distinct: byName.get(name)?.distinct ?? 0,
      words: words.map((word) => asked.get(keyOf(word, name)) ?? 0),
    }));
}

function coverageOf(files: readonly SurveyedFile[]): Coverage {
  const count = (wanted: SurveyedFile['reading']): number => files.filter(({ reading }) => reading === wanted).length;
  const bytes = (some: readonly SurveyedFile[]): number => some.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  const skipped = files.filter(({ reading }) => reading === 'skipped');
  return {
    files: files.length,
    bytes: bytes(files),
    readDirectly: count('direct'),
    readConverted: count('converted'),
    empty: count('empty'),
    skippedFiles: skipped.length,
    skippedBytes: bytes(skipped),
    skipped: skipped
      .slice(0, MOST_SKIPPED)
      .map(({ path, lengthBytes, reason = '' }) => ({ path, bytes: lengthBytes, reason })),
  };
}

function sqlOf(dialect: SqlDialect, tables: CountTables, input: WordsInput): string[] {
  return [
    tallyStatement(tables, dialect, input),
    filesQuery(tables),
    ...(input.top > 0 ? [topQuery(tables, input)] : []),
    ...(input.words.length > 0 ? [askedQuery(tables, input)] : []),
  ];
}
