import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hiveField, hiveFields, hiveRow, hiveValue } from './hive-text.ts';

/** Text rich in what has a meaning in the format. */
const awkward = fc
  .array(fc.oneof(fc.constantFrom('\\', '\n', '\r', '\t', 'N', 'n', 'r', 't', '\0', '\u0001', '', '😀'), fc.string()))
  .map((parts) => parts.join(''));

describe('the text of a Hive row', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['a\tb', 'a\\\tb'],
    ['a\nb', 'a\\nb'],
    ['a\r\nb', 'a\\r\\nb'],
    ['C:\\new', 'C:\\\\new'],
    ['\\N', '\\\\N'],
    ['\\', '\\\\'],
    ['a\0b', 'a\0b'],
    ['Größe 😀', 'Größe 😀'],
  ])('writes %j as %j', (value, field) => {
    expect(hiveField(value)).toBe(field);
    expect(hiveValue(field)).toBe(value);
  });

  it('tells NULL, the empty string and the text \\N apart', () => {
    expect(hiveRow([null, '', '\\N'])).toBe('\\N\t\t\\\\N');
    expect(hiveFields('\\N\t\t\\\\N').map(hiveValue)).toEqual([null, '', '\\N']);
  });

  it('gives every row back as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.option(awkward), { minLength: 1 }), (values) => {
        expect(hiveFields(hiveRow(values)).map(hiveValue)).toEqual(values);
      }),
    );
  });

  it('never lets a value end a field or a line', () => {
    fc.assert(
      fc.property(awkward, (value) => {
        const field = hiveField(value);
        expect(field).not.toMatch(/[\n\r]/);
        expect(hiveFields(field)).toHaveLength(1);
      }),
    );
  });
});
