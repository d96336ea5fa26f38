import { expect, test } from 'vitest';
import { storableText } from './storable-text.ts';

test.each([
  ['MW', 'MW'],
  ['a\tb\\"', 'a\tb\\"'],
  ['\u{1f600}', '\u{1f600}'],
  ['a\0b', 'a\\u0000b'],
  ['a\u0001', 'a\\u0001'],
  ['a\ud800', 'a\\ud800'],
  ['\udc00\\', '\\udc00\\\\'],
])('%j is stored as %j', (text, stored) => {
  expect(storableText(text)).toBe(stored);
});
