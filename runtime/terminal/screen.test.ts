import colors from 'picocolors';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { fitLine } from './screen.ts';

const { bold, cyan } = colors.createColors(true);

test('a line is cut by what is visible of it, and ends in no colour', () => {
  const line = `${bold('Kafka')} ${cyan('http://localhost:8090')}`;
  expect(fitLine(line, 80)).toBe(line);
  for (let width = 1; width < 27; width++) {
    const cut = fitLine(line, width);
    expect(stripVTControlCharacters(cut)).toBe('Kafka http://localhost:8090'.slice(0, width));
    expect(cut.endsWith('\x1b[0m')).toBe(true);
  }
});

test('a character beyond the basic plane is not cut in two', () => {
  expect(fitLine('a😀b', 2)).toBe('a😀');
});
