import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareCodePoints, storableText } from './storable-text.ts';

const anyText = fc.string({ unit: 'binary' });
const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));

test('texts compare as their UTF-8 bytes do', () => {
  const near = fc.constantFrom('a', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}', '\ud7ff');
  const text = fc.oneof(
    anyText,
    fc.array(near).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, text, (one, other) => {
      expect(Math.sign(compareCodePoints(one, other))).toBe(Buffer.compare(Buffer.from(one), Buffer.from(other)));
    }),
  );
});

test('what is stored survives UTF-8 and has no NUL, and good text stays as it is', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, anyUnits), (text) => {
      const stored = storableText(text);
      expect(Buffer.from(stored).toString()).toBe(stored);
      expect(stored).not.toContain('\0');
      if (text.isWellFormed() && !text.includes('\0')) expect(stored).toBe(text);
    }),
  );
});
