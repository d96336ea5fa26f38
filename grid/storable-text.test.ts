import fc from 'fast-check';
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

test('what is stored survives UTF-8 and has no NUL, and good text stays as it is', () => {
  const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));
  const odd = fc.oneof(fc.string({ unit: 'binary' }), anyUnits, fc.constantFrom('a\0', 'a\\u0000', '\ud800'));
  fc.assert(
    fc.property(odd, (text) => {
      const stored = storableText(text);
      expect(Buffer.from(stored).toString()).toBe(stored);
      expect(stored).not.toContain('\0');
      const isGood = text.isWellFormed() && !text.includes('\0') && !text.includes('\u0001');
      if (isGood) expect(stored).toBe(text);
    }),
  );
});
