import { expect, test } from 'vitest';
import { runMark, wordsIn } from './last-words.ts';

const entry = (level: number, msg: string): string => `${JSON.stringify({ level, name: 'speed', msg })}\n`;

test('are the sentence of the last error of this run, not of an earlier one', () => {
  const mark = runMark('speed');
  const log = `${entry(60, 'the error of before')}${mark}${entry(30, 'started')}${entry(60, 'the port is taken')}${entry(30, 'stopped')}`;
  expect(wordsIn(log, mark)).toBe('the port is taken');
});

test('are the last lines where there is no error', () => {
  const mark = runMark('speed');
  expect(wordsIn(`${entry(60, 'the error of before')}${mark}${entry(30, 'one')}two\n`, mark)).toBe(
    'Its last lines:\n  one\n  two',
  );
  expect(wordsIn(`${entry(60, 'the error of before')}${mark}`, mark)).toBe('');
});
