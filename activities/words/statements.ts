/** HiveQL of a count of words. Pure: the same question about the same count is always the same statements. */
import {
  qualifiedName,
  quoteIdentifier,
  quoteString,
  type ListedFiles,
  type SqlDialect,
} from '../../connectors/hive/hive.ts';
import type { WordsInput } from '../../workflows/words/contract.ts';

export interface CountTables {
  readonly database: string;
  readonly countId: string;
}

/** Runs of anything but letters, marks and digits (Unicode's general categories L, M and N) lie between words. */
const BETWEEN_WORDS = String.raw`[^\p{L}\p{M}\p{N}]+`;
/** What Hive reads in place of bytes that are no UTF-8. */
const REPLACEMENT = '\ufffd';

function linesTable({ database, countId }: CountTables): string {
  return qualifiedName(database, `lines_${countId}`);
}

function wordsTable({ database, countId }: CountTables): string {
  return qualifiedName(database, `words_${countId}`);
}

export function databaseStatement({ database }: CountTables): string {
  return `CREATE DATABASE IF NOT EXISTS ${quoteIdentifier(database)} COMMENT 'What analyses work with'`;
}

/** A table with a row for each line of the listed files. */
export function linesTableStatement(tables: CountTables, dialect: SqlDialect, files: ListedFiles): Promise<string> {
  return dialect.linesTable(linesTable(tables), files);
}

/** Makes the table of how often each word stands in each file: it is there whole or not at all. */
export function tallyStatement(tables: CountTables, dialect: SqlDialect, input: WordsInput): string {
  const word = input.caseSensitive ? 'token' : 'LOWER(token)';
  const [lines, column] =
    input.table === undefined ? [linesTable(tables), 'line'] : [tableOf(input.table), quoteIdentifier(input.column)];
  const file = input.table === undefined ? dialect.fileNameSql : "''";
  const between = input.tokenizer === 'space' ? ' ' : BETWEEN_WORDS;
  return [
    `CREATE TABLE ${wordsTable(tables)} STORED AS ORC TBLPROPERTIES ('transactional'='false') AS`,
    `SELECT file, ${word} AS word, COUNT(*) AS n`,
    `FROM (SELECT ${file} AS file, CAST(${column} AS STRING) AS line FROM ${lines}) texts`,
    `LATERAL VIEW EXPLODE(SPLIT(line, ${quoteString(between)})) tokens AS token`,
    ...(input.tokenizer === 'space' ? [] : [`WHERE token <> ''`]),
    `GROUP BY file, ${word}`,
  ].join('\n');
}

/** file, total, distinct, empty tokens, words with the replacement character; a row for each file with words. */
export function filesQuery(tables: CountTables): string {
  return [
    `SELECT file, CAST(SUM(n) AS BIGINT), COUNT(*), CAST(SUM(IF(word = '', n, 0)) AS BIGINT),`,
    `CAST(SUM(IF(INSTR(word, ${quoteString(REPLACEMENT)}) > 0, n, 0)) AS BIGINT)`,
    `FROM ${wordsTable(tables)} GROUP BY file`,
  ].join('\n');
}

/** How many different words. */
export function distinctQuery(tables: CountTables): string {
  return `SELECT COUNT(*) FROM (SELECT word FROM ${wordsTable(tables)} GROUP BY word) words`;
}

/** word, count, the most frequent first; of equally frequent ones the first by the order of their UTF-8. */
export function topQuery(tables: CountTables, { top }: WordsInput): string {
  return [
    `SELECT word, SUM(n) AS frequency FROM ${wordsTable(tables)}`,
    `GROUP BY word ORDER BY frequency DESC, word LIMIT ${top}`,
  ].join('\n');
}

/** word, file, count of those words that were asked for; file is '' when not wanted. */
export function askedQuery(tables: CountTables, { words, caseSensitive, perFile }: WordsInput): string {
  const asked = [...new Set(words)].map((word) => (caseSensitive ? quoteString(word) : `LOWER(${quoteString(word)})`));
  return [
    `SELECT word, ${perFile ? 'file' : "''"}, SUM(n) FROM ${wordsTable(tables)} WHERE word IN (${asked.join(', ')})`,
    perFile ? 'GROUP BY word, file' : 'GROUP BY word',
  ].join('\n');
}

/** The asked words as Hive lower-cases them, in the order of the question. */
export function lowerQuery({ words }: WordsInput): string {
  return `SELECT ${words.map((word) => `LOWER(${quoteString(word)})`).join(', ')}`;
}

export function dropStatements(tables: CountTables): readonly string[] {
  return [dropWords(tables), dropLines(tables)];
}

export function dropLines(tables: CountTables): string {
  return `DROP TABLE IF EXISTS ${linesTable(tables)}`;
}

export function dropWords(tables: CountTables): string {
  return `DROP TABLE IF EXISTS ${wordsTable(tables)}`;
}

/** `database.table` or `table`, quoted. */
export function tableOf(name: string): string {
  const [first = '', second] = name.split('.');
  return second === undefined ? quoteIdentifier(first) : qualifiedName(first, second);
}
