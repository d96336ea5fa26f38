import { countText, plural, shown } from '../../../../grid/figures.ts';
import type { FirstCountEnd } from '../words/first-count.ts';

const LONGEST_LINE = 700;

/** What is to be said once of the sample texts' words; undefined for nothing. */
export function wordsNews(end: FirstCountEnd): string | undefined {
  switch (end.kind) {
    case 'interrupted':
      return undefined;
    case 'failed':
      return `The words of the sample texts were not counted: ${shown(end.message, LONGEST_LINE)} Readings stream on; \`npm run job -- countWords\` tries again.`;
    case 'done': {
      const { of, total, distinct, words, top, coverage } = end.result;
      const files = coverage === undefined ? '' : ` of ${plural(coverage.files, 'text')} in HDFS (${of})`;
      const listed = (some: typeof words): string =>
        some.map(({ word, count }) => `${shown(word === '' ? '(empty)' : word, 40)} ${countText(count)}`).join(', ');
      return [
        `Counted the words${files} by Hive: ${countText(total)}, of which ${countText(distinct)} are different.`,
        `  Asked for: ${listed(words)}. Most frequent: ${listed(top)}.`,
        `  Ask for others: npm run job -- countWords --input '{"path": "${of}", "words": ["grid"], "tokenizer": "unicode"}'`,
      ].join('\n');
    }
  }
}
