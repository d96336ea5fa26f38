import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTextBefore } from './text-order.ts';

test('texts are in the order of their UTF-8', () => {
  const text = fc.string({ unit: 'binary', maxLength: 4 });
  const odd = fc.array(fc.constantFrom('a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{1f600}'), { maxLength: 4 });
  const either = fc.oneof(
    text,
    odd.map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(either, either, (a, b) => {
      expect(isTextBefore(a, b)).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0);
    }),
  );
});
