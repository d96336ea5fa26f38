import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { job, plainProgress } from './job-contract.ts';
import { markdown } from './markdown.ts';
import { plainLines } from './plain-lines.ts';
import { plainProgressTold } from './plain-text.ts';
import type { Told } from './told.ts';

const told: Told = {
  title: 'Import of a|b',
  headline: 'copying: 1 of 2',
  sentences: ['The signal `retryFailed` helps.', 'two\nlines'],
  tables: [
    {
      columns: [{ heading: 'table' }, { heading: 'rows', isFigure: true }, { heading: 'why' }],
      rows: [
        ['public.a', '1', ''],
        ['public.no|des', '1,000', ''],
      ],
      more: 3,
    },
  ],
};

describe('what is told', () => {
  it('is Markdown for the Web UI, whatever is in it', () => {
    expect(markdown(told).split('\n\n')).toEqual([
      '**Import of a\\|b**',
      'copying: 1 of 2',
      'The signal `retryFailed` helps.',
      'two lines',
      [
        '| table\u2003 | rows\u2003 | why |',
        '|---|--:|---|',
        '| public.a\u2003 | 1\u2003 |  |',
        '| public.no\\|des\u2003 | 1,000\u2003 |  |',
      ].join('\n'),
      'and 3 more',
    ]);
    expect(markdown({ headline: '<img src=x> **b** [a](b)' })).toBe('\\<img src=x> \\*\\*b\\*\\* \\[a](b)');
  });

  it('is lines for a terminal, without what is empty, and as many rows as there is room for', () => {
    expect(plainLines(told, 10)).toEqual([
      'copying: 1 of 2',
      'The signal `retryFailed` helps.',
      'two / lines',
      'table          rows',
      'public.a       1',
      'public.no|des  1,000',
      'and 3 more',
    ]);
    expect(plainLines(told, 1).slice(-2)).toEqual(['public.a  1', 'and 4 more']);
    expect(plainLines(told, 0)).toHaveLength(3);
  });

  it('cannot steer a terminal, and a cell stays one line of bearable length', () => {
    const rows = [['a\x1b[2Jb\nc', 'x'.repeat(1_000)]];
    const [, , line = ''] = plainLines(
      { headline: '', tables: [{ columns: [{ heading: 'a' }, { heading: 'b' }], rows }] },
      5,
    );
    expect(line).toMatch(/^a\?\[2Jb \/ c {2}x{299}…$/);
  });
});

describe('a job that has only a text', () => {
  const counting = job(
    {
      ...{ workflowType: 'countWords', summary: 'count words', input: z.object({}), example: {} },
      ...{ progress: plainProgress, result: z.object({ words: z.number() }), activities: {} },
    },
    { progress: plainProgressTold, result: ({ words }) => ({ headline: `${words} words.` }) },
  );

  it('is told by it, with how much is done of how much', () => {
    expect(counting.progressTold({ text: 'reading' })).toEqual({ headline: 'reading' });
    expect(counting.progressTold({ text: 'reading', done: 1_200, of: 4_800 })).toEqual({
      headline: 'reading: 1,200 of 4,800 (25 %)',
    });
    expect(counting.brief({ text: 'reading', done: 7 })).toEqual({ amount: 'reading: 7', rest: '' });
    expect(counting.resultTold({ words: 3 })).toEqual({ headline: '3 words.' });
  });

  it('never waits, never fails by its result, and says nothing of what it does not know', () => {
    expect(counting.isFailure({ words: 3 })).toBe(false);
    expect(counting.waitsForRetry({ text: 'reading' })).toBeUndefined();
    expect(counting.progressTold({ phase: 'x' })).toBeUndefined();
    expect(counting.resultTold('x')).toBeUndefined();
  });
});
