import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLineProtocol, type FieldValue, type Point } from './line-protocol.ts';

function parse(text: string | Buffer): (Point | string)[] {
  return [...parseLineProtocol(Buffer.from(text))].map((line) => (line.ok ? line.point : line.message));
}

function one(text: string): Point {
  const [point] = parse(text);
  if (point === undefined || typeof point === 'string') throw new Error(`not parsed: ${point ?? 'nothing'}`);
  return point;
}

const number = (text: string): FieldValue => ({ kind: 'number', text });

describe('a line', () => {
  it('has a measurement, tags, fields and a timestamp', () => {
    expect(one('power,sensor_id=6,unit=MW value=421.50,state="on, really" 1694902173122458000')).toEqual({
      measurement: 'power',
      tags: [
        ['sensor_id', '6'],
        ['unit', 'MW'],
      ],
      fields: [
        ['value', number('421.50')],
        ['state', { kind: 'string' }],
      ],
      timestamp: '1694902173122458000',
    });
  });

  it('needs neither tags nor a timestamp', () => {
    expect(one('load value=1')).toEqual({
      measurement: 'load',
      tags: [],
      fields: [['value', number('1')]],
      timestamp: undefined,
    });
  });

  it('may escape commas, spaces and equals signs in names', () => {
    expect(one('my\\ load\\,a,t\\=1=b\\ c f\\ 1=2')).toMatchObject({
      measurement: 'my load,a',
      tags: [['t=1', 'b c']],
      fields: [['f 1', number('2')]],
    });
  });

  it('keeps a backslash that escapes nothing', () => {
    expect(one('a\\b,t=c\\d v=1')).toMatchObject({ measurement: 'a\\b', tags: [['t', 'c\\d']] });
  });

  it('may hold a line break, quotes and backslashes in a quoted value', () => {
    const points = parse('a s="one\ntwo \\" three \\\\",v=1 5\nb v=2');
    expect(points).toMatchObject([{ measurement: 'a', timestamp: '5' }, { measurement: 'b' }]);
  });

  it('keeps names in UTF-8', () => {
    expect(one('Wärme,ort=Zürich größe=1')).toMatchObject({ measurement: 'Wärme', tags: [['ort', 'Zürich']] });
  });
});

describe('a number', () => {
  it.each([
    ['1.50', '1.50'],
    ['12i', '12'],
    ['-12i', '-12'],
    ['12u', '12'],
    ['+3.25', '3.25'],
    ['.5', '0.5'],
    ['-.5', '-0.5'],
    ['5.', '5'],
    ['007', '7'],
    ['0', '0'],
    ['-0.0', '-0.0'],
    ['1e5', '1e5'],
    ['1.25E-07', '1.25E-07'],
    ['12345678901234567890123i', '12345678901234567890123'],
  ])('%s is the JSON number %s, digit for digit', (written, text) => {
    expect(one(`m v=${written}`).fields).toEqual([['v', number(text)]]);
    expect(JSON.parse(text)).toBe(Number(text));
  });

  it('keeps every digit but zeros before it', () => {
    const digits = fc.string({ unit: fc.constantFrom('0', '0', '1', '9'), maxLength: 12 });
    const exponent = fc.constantFrom('', 'e5', 'E-03', 'e+7');
    fc.assert(
      fc.property(
        fc.constantFrom('', '+', '-'),
        digits,
        fc.option(digits),
        exponent,
        (sign, whole, fraction, power) => {
          fc.pre(whole !== '' || (fraction !== null && fraction !== ''));
          const written = `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${power}`;
          const [[, value] = []] = one(`m v=${written}`).fields;
          if (value?.kind !== 'number') throw new Error(`${written} is no number`);
          expect(Object.is(JSON.parse(value.text), Number(written))).toBe(true);
          expect(value.text.replace(/[eE].*/, '').replace(/^-?0*/, '')).toBe(
            `${whole.replace(/^0*/, '')}${fraction === null || fraction === '' ? '' : `.${fraction}`}`,
          );
        },
      ),
    );
  });

  it.each(['NaN', 'nan', '+Inf', '-inf', 'Infinity'])('is not %s', (written) => {
    expect(one(`m v=${written}`).fields).toEqual([['v', { kind: 'not-a-number', text: written }]]);
  });

  it.each(['t', 'true', 'TRUE', 'F', 'false'])('is not the boolean %s', (written) => {
    expect(one(`m v=${written}`).fields).toEqual([['v', { kind: 'boolean' }]]);
  });
});

describe('a body', () => {
  it('may have comments, blank lines and CRLF', () => {
    expect(parse('# a comment, v=1\r\n\r\na v=1 5\r\n   \nb v=2\r\n')).toMatchObject([
      { measurement: 'a', timestamp: '5' },
      { measurement: 'b', fields: [['v', number('2')]] },
    ]);
  });

  it.each([
    ['m', 'the fields are missing'],
    ['m,tag v=1', 'tag "tag" has no value'],
    ['m,tag= v=1', 'the value of tag "tag" is missing'],
    ['m v', 'field "v" has no value'],
    ['m v=', 'field "v" has no value'],
    ['m v=abc', 'field "v" is neither a number'],
    ['m v=1i2', 'field "v" is neither a number'],
    ['m v="open', 'is not closed'],
    ['m v=1 12.5', 'the timestamp is not a whole number'],
    ['m v=1 12 13', 'the timestamp is not a whole number'],
    ['m v="a"b', 'a comma or a space is missing'],
    [',t=1 v=1', 'the measurement is missing'],
    ['m ,v=1', 'a field key is missing'],
  ])('tells what is wrong with %s, and goes on behind it', (bad, message) => {
    const parsed = parse(`${bad}\ngood v=1`);
    expect(parsed[0]).toContain(message);
    expect(parsed.at(-1)).toMatchObject({ measurement: 'good' });
  });

  it('tells of names that are not UTF-8, and goes on', () => {
    const body = Buffer.concat([Buffer.from('m,t='), Buffer.from([0xff]), Buffer.from(' v=1\ngood v=1')]);
    expect([...parseLineProtocol(body)]).toMatchObject([
      { ok: false, encoding: true },
      { ok: true, point: { measurement: 'good' } },
    ]);
  });

  it('of any bytes is read to its end, line by line', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', ',', '=', ' ', '"', '\\', '\n', '\r', '1', 'i', '#', '.', 'é') }),
        (text) => {
          const lines = parse(text);
          expect(lines.length).toBeLessThanOrEqual(text.split('\n').length);
        },
      ),
      { numRuns: 500 },
    );
  }, 30_000);

  it('gives back what any client writes', () => {
    const name = fc.string({ minLength: 1, unit: fc.constantFrom('a', 'Z', '0', ' ', ',', '=', '_', 'ü', '/') });
    const escape = (text: string, pattern: RegExp) => text.replace(pattern, '\\$&');
    const escapeName = (text: string) => escape(text, /[,= ]/g);
    const point = fc.record({
      measurement: name.filter((text) => !/^[# ]/.test(text)),
      tags: fc.array(fc.tuple(name, name), { maxLength: 4 }),
      fields: fc.array(fc.tuple(name, fc.integer()), { minLength: 1, maxLength: 4 }),
      timestamp: fc.option(fc.bigInt({ min: 0n, max: 10n ** 19n })),
    });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 5 }), (points) => {
        const text = points
          .map(({ measurement, tags, fields, timestamp }) => {
            const tagText = tags.map(([key, value]) => `,${escapeName(key)}=${escapeName(value)}`).join('');
            const fieldText = fields.map(([key, value]) => `${escapeName(key)}=${value}i`).join(',');
            return `${escape(measurement, /[, ]/g)}${tagText} ${fieldText}${timestamp === null ? '' : ` ${timestamp}`}`;
          })
          .join('\n');
        expect(parse(text)).toEqual(
          points.map(({ measurement, tags, fields, timestamp }) => ({
            measurement,
            tags,
            fields: fields.map(([key, value]) => [key, number(String(value))]),
            timestamp: timestamp === null ? undefined : String(timestamp),
          })),
        );
      }),
    );
  }, 30_000);
});
