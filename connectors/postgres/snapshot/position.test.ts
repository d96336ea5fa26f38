import { expect, test } from 'vitest';
import { formatPosition, lowestOnly, parsePosition, withRunning } from './position.ts';

test('a position keeps its text', () => {
  for (const text of ['10:20:', '10:20:11', '10:20:11,15', '18446744073709551000:18446744073709551001:']) {
    expect(formatPosition(parsePosition(text))).toBe(text);
  }
});

test.each(['', '10', '10:20', '0x10', '10:20:11,', ':::', "1:2:'"])('"%s" is no position', (text) => {
  expect(() => parsePosition(text)).toThrow(expect.objectContaining({ code: 'append-impossible' }));
});

test('transactions are added in order, once, and only where they matter', () => {
  const position = parsePosition('10:20:15');
  expect(formatPosition(withRunning(position, [12n, 15n, 11n, 9n, 20n]))).toBe('10:20:11,12,15');
});

test('of too many transactions, the later ones count as not seen without being listed', () => {
  const more = Array.from({ length: 5_000 }, (_, index) => BigInt(100 + 2 * index));
  const position = withRunning(parsePosition('100:99999:'), more);
  expect(position.running).toHaveLength(1_000);
  expect(position.bound).toBe(2_100n);
});

test('the position of which only the lowest is known sees nothing from there on', () => {
  expect(formatPosition(lowestOnly(parsePosition('10:20:15')))).toBe('10:10:');
});
