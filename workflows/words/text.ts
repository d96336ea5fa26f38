import { bytesText, countText, durationText, plural } from '../../grid/figures.ts';
import type { JobText, ToldTable } from '../job/told.ts';
import type { Coverage, WordsProgress, WordsResult } from './contract.ts';

/** Files that are told one by one. */
const MOST_FILES = 20;

/** How a count of words is told. */
export const wordsText = {
  progress({ of, phase, files, bytes, skippedFiles }) {
    const amount = files === 0 ? '' : ` ${plural(files, 'file')}, ${bytesText(bytes)}${skippedNote(skippedFiles)}`;
    return { title: `Words of ${of === '' ? 'the sample texts' : of}`, headline: `${phase}${amount}` };
  },
  brief: ({ files, phase }) => ({ amount: files === 0 ? '' : plural(files, 'file'), rest: phase }),
  result(result) {
    const { of, total, distinct, emptyTokens, tokenizer, answeredFrom, durationMs, coverage, perFileLeftOut } = result;
    const empty =
      tokenizer === 'space' ? `, of which ${countText(emptyTokens)} are empty (SPLIT(line, ' ') makes them)` : '';
    return {
      title: `Words of ${of}`,
      headline: `${countText(total)} words${empty}, ${countText(distinct)} different`,
      sentences: [
        answeredFrom === 'kept'
          ? `The same question about the same files was answered on ${result.countedAt}; that answer is kept.`
          : `Counted by Hive in ${durationText(durationMs)}.`,
        ...(coverage === undefined ? [] : [coverageText(coverage)]),
        ...(perFileLeftOut === 0 ? [] : [leftOutSentence(perFileLeftOut, result.perFilePath)]),
      ],
      tables: [
        ...(result.words.length === 0 ? [] : [wordsTable('asked for', result.words)]),
        ...(result.top.length === 0 ? [] : [wordsTable('most frequent', result.top)]),
        ...(result.perFile === undefined || result.perFile.length === 0 ? [] : [filesTable(result)]),
        ...(coverage === undefined || coverage.skippedFiles === 0 ? [] : [skippedTable(coverage)]),
      ],
    };
  },
} satisfies JobText<WordsProgress, WordsResult>;

function skippedNote(skippedFiles: number): string {
  return skippedFiles === 0 ? '' : `, ${countText(skippedFiles)} of them not counted`;
}

function coverageText(coverage: Coverage): string {
  const { files, bytes, readConverted, empty, skippedFiles, skippedBytes } = coverage;
  const parts = [
    readConverted === 0 ? '' : `${countText(readConverted)} through a copy in UTF-8`,
    empty === 0 ? '' : `${countText(empty)} empty`,
    skippedFiles === 0 ? '' : `${countText(skippedFiles)} (${bytesText(skippedBytes)}) not counted`,
  ].filter((part) => part !== '');
  return `${plural(files, 'file')}, ${bytesText(bytes)}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}.`;
}

function wordsTable(heading: string, words: WordsResult['words']): ToldTable {
  return {
    columns: [{ heading }, { heading: 'count', isFigure: true }],
    rows: words.map(({ word, count }) => [word === '' ? '(empty)' : word, countText(count)]),
  };
}

function filesTable({ perFile = [], words }: WordsResult): ToldTable {
  const shown = perFile.slice(0, MOST_FILES);
  return {
    columns: [
      { heading: 'file' },
      { heading: 'words', isFigure: true },
      { heading: 'different', isFigure: true },
      ...words.slice(0, 5).map(({ word }) => ({ heading: word, isFigure: true })),
    ],
    rows: shown.map((file) => [
      file.path,
      countText(file.total),
      countText(file.distinct),
      ...file.words.slice(0, 5).map(countText),
    ]),
    ...(perFile.length > shown.length ? { more: perFile.length - shown.length } : {}),
  };
}

function skippedTable({ skipped, skippedFiles }: Coverage): ToldTable {
  const shown = skipped.slice(0, MOST_FILES);
  return {
    columns: [{ heading: 'not counted' }, { heading: 'size', isFigure: true }, { heading: 'why' }],
    rows: shown.map(({ path, bytes, reason }) => [path, bytesText(bytes), reason]),
    ...(skippedFiles > shown.length ? { more: skippedFiles - shown.length } : {}),
  };
}

function leftOutSentence(files: number, path: string | undefined): string {
  const sentence = `The counts of ${plural(files, 'more file')} are left out`;
  return path === undefined ? `${sentence}.` : `${sentence}; those of all are in ${path}.`;
}
