import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapePartitionValue, eventDay, partitionSegment, SEGMENT_MAX_BYTES } from './partition-path.ts';

/** Any text, halves of surrogate pairs and HDFS's special characters included. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 }).map((units) => String.fromCharCode(...units)),
  fc.string({
    unit: fc.constantFrom('%', '~', '_', '.', '/', 'u', 'D', '8', '0', 'Ж', '😀', '\ud800'),
    maxLength: 300,
  }),
);

/** Reads a name back, as Hive does, and `%u…` beside. */
const unescaped = (name: string): string =>
  name.replace(/%(?:u([0-9A-F]{4})|([0-9A-F]{2}))/g, (_, wide?: string, narrow?: string) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow ?? '', 16)),
  );

describe('eventDay', () => {
  it.each([
    ['1969-12-31', -1],
    ['1990-01-01', 631_152_000_000],
    ['2016-02-29', Date.UTC(2016, 1, 29, 23, 59, 59, 999)],
    ['2016-03-01', Date.UTC(2016, 2, 1)],
  ])('is %s', (day, ms) => {
    expect(eventDay(ms)).toBe(day);
  });
});

describe('escapePartitionValue', () => {
  it.each([
    ['6', '6'],
    ['a:b', 'a%3Ab'],
    ['50%', '50%25'],
    ['ü b', 'ü b'],
    ['..', '%2E%2E'],
    ['', '__HIVE_DEFAULT_PARTITION__'],
    ['__HIVE_DEFAULT_PARTITION__', '%5F%5FHIVE_DEFAULT_PARTITION__'],
    ['a/b=c', 'a%2Fb%3Dc'],
    ['_a.b', '_a.b'],
    ['\ud800', '%uD800'],
    ['😀\udc00', '😀%uDC00'],
  ])('writes %j as %s', (value, escaped) => {
    expect(escapePartitionValue(value)).toBe(escaped);
  });

  it('can be read back, whatever the value', () => {
    fc.assert(fc.property(anyText, (value) => value === '' || unescaped(escapePartitionValue(value)) === value));
  });
});

describe('partitionSegment', () => {
  it.each([
    ['unit=MW', 'unit=MW'],
    ['_spare', '%5Fspare'],
    ['_commits', '%5Fcommits'],
    ['.aux', '%2Eaux'],
    ['..', '%2E.'],
    ['a_b.c', 'a_b.c'],
    ['x'.repeat(255), 'x'.repeat(255)],
    ['Ж'.repeat(127), 'Ж'.repeat(127)],
    // sha256sum of 256 times x, and of 128 times Ж: 221 bytes are left for the beginning.
    ['x'.repeat(256), `${'x'.repeat(221)}%~85e62acd750c4eb56b7b6a1d66dca5bf`],
    ['Ж'.repeat(128), `${'Ж'.repeat(110)}%~90fb2b36e3671385b056d94e02fa0c8e`],
  ])('is, of %s, %s', (text, name) => {
    expect(partitionSegment(text)).toBe(name);
  });

  it('is a name that HDFS takes, that readers see, and that no other text has', () => {
    const nameOf = (value: string): string => partitionSegment(escapePartitionValue(value));
    fc.assert(
      fc.property(anyText, anyText, (one, other) => {
        const name = nameOf(one);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(SEGMENT_MAX_BYTES);
        expect(Buffer.from(name).toString()).toBe(name);
        // eslint-disable-next-line no-control-regex
        expect(name).toMatch(/^[^_.][^/:\u0000]*$/);
        expect(nameOf(one)).toBe(name);
        expect(nameOf(other) === name).toBe(one === other);
      }),
      { numRuns: 2_000 },
    );
  });

  it('tells long texts apart that differ only at their ends, and from what looks like a shortened one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), (end) => {
        const long = escapePartitionValue('ü:'.repeat(200));
        const shortened = partitionSegment(long);
        expect(partitionSegment(long + escapePartitionValue(end))).not.toBe(shortened);
        expect(partitionSegment(escapePartitionValue(shortened))).not.toBe(shortened);
        expect(shortened).toMatch(/^(?:ü%3A)+ü?%~[0-9a-f]{32}$/);
      }),
    );
  });
});
