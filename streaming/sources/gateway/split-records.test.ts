import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonRecords, lineRecords } from './split-records.ts';

const json = (body: string | Buffer) =>
  [...jsonRecords(Buffer.from(body), 1_000)].map((record) => record.toString('latin1'));
const lines = (body: string | Buffer) => [...lineRecords(Buffer.from(body))].map((record) => record.toString('latin1'));

describe('a JSON body', () => {
  it('is cut into elements that keep their bytes', () => {
    expect(json('[{"a": 1.50},{"b":"x,]}"} , 12345678901234567890, [1, 2]]')).toEqual([
      '{"a": 1.50}',
      '{"b":"x,]}"}',
      '12345678901234567890',
      '[1, 2]',
    ]);
  });

  it('keeps bytes that are not valid UTF-8, to be judged record by record', () => {
    const bad = Buffer.concat([Buffer.from('[{"a":"'), Buffer.from([0xff, 0xa0]), Buffer.from('"},{}]')]);
    expect(json(bad)).toEqual(['{"a":"\xff\xa0"}', '{}']);
  });

  it('puts a record that was written over lines on one', () => {
    expect(json('{\r\n  "a": "b\\n"\n}\n')).toEqual(['{    "a": "b\\n" }']);
  });

  it('of an empty array has no records', () => {
    expect(json(' [ ] ')).toEqual([]);
  });

  it.each(['[{"a":1},{"b"', '[{"a":1}', '[{"a":1}] x', '[{"a":1}}'])(
    'that is cut off is refused as a whole: %s',
    (body) => {
      expect(() => json(body)).toThrow(expect.objectContaining({ code: 'malformed-json' }) as Error);
    },
  );

  it('is cut at the same places as it was put together, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        const texts = values.map((value) => JSON.stringify(value));
        expect([...jsonRecords(Buffer.from(`[${texts.join(' ,\n')}]`), 1_000)].map(String)).toEqual(texts);
      }),
    );
  });
});

describe('newline-delimited JSON', () => {
  it('is cut at line breaks, without blank lines and outer blanks', () => {
    expect(lines('{"a":1}\r\n\n  {"b":2} \n \t \n{"c":3}')).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
  });
});
