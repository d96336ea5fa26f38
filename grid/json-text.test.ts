import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayElements, isJsonButForNotANumber, memberTexts } from './json-text.ts';

describe('memberTexts', () => {
  it('finds the raw text of every member of any object', () => {
    const member = fc.oneof(fc.jsonValue(), fc.string());
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), member, { noNullPrototype: true }),
        fc.constantFrom(0, 2),
        (object, indent) => {
          const text = JSON.stringify(object, undefined, indent);
          const texts = memberTexts(text);
          const parsed = Object.fromEntries([...texts].map(([name, raw]) => [name, JSON.parse(raw) as unknown]));
          expect(parsed).toEqual(JSON.parse(text));
        },
      ),
    );
  });
});

describe('arrayElements', () => {
  it('cuts no more than it is asked for, and says when there are more', () => {
    expect(arrayElements('[1, 2, 3]', 2)).toEqual({ elements: ['1', '2'], closed: false, more: true });
    expect(arrayElements('[1, 2, 3]', 3)).toEqual({ elements: ['1', '2', '3'], closed: true, more: false });
  });

  it('cuts an array into the raw texts of its elements', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 2), (array, indent) => {
        const { elements, closed } = arrayElements(JSON.stringify(array, undefined, indent));
        expect(closed).toBe(true);
        expect(elements.map((element) => JSON.parse(element) as unknown)).toEqual(JSON.parse(JSON.stringify(array)));
      }),
    );
  });

  it.each<[string, string[], boolean]>([
    ['[]', [], true],
    [' [ ] ', [], true],
    ['[1.50,,"a]"]', ['1.50', '', '"a]"'], true],
    ['[1,]', ['1', ''], true],
    ['[{"a":1},{"b":', ['{"a":1}', '{"b":'], false],
    ['[1] trailing', ['1'], false],
    ['[bad, 2]', ['bad', '2'], true],
    ['[1}', ['1'], false],
  ])('cuts %s', (text, elements, closed) => {
    expect(arrayElements(text)).toEqual({ elements, closed, more: false });
  });
});

describe('isJsonButForNotANumber', () => {
  it.each([
    ['{"a":NaN}', true],
    ['[-Infinity]', true],
    ['{"a":"NaN"', false],
    ['{"a":NaN,}', false],
    ['{"a":1}', false],
    ['{"a":-NaN,"b":[Infinity]}', true],
    ['{"a":NaNa}', false],
    ['{"NaN":"NaN","a":NaN}', true],
    ['{"a":"\\"NaN","b":NaN}', true],
  ])('%s: %s', (text, expected) => {
    expect(isJsonButForNotANumber(text)).toBe(expected);
  });

  // Gone through again from each quote, a megabyte of this would take hours.
  it.each([
    ['cut off within a string of escaped quotes', `{"payload":"${'\\"'.repeat(500_000)}`],
    ['of quotes only', '"'.repeat(999_999)],
    ['of names of no number', 'NaN'.repeat(300_000)],
    ['of numbers that are none', 'NaN '.repeat(300_000)],
  ])('is done in time with a long text %s', (_what, text) => {
    expect(isJsonButForNotANumber(text)).toBe(false);
  });
});
