import { describe, expect, test } from 'vitest';
import { belongTogether, comtradeConfiguration, comtradeData } from '../../../../grid/legacy/comtrade-facts.ts';
import { sampleOf, type Finding } from '../text/sample.ts';
import { parseConfiguration } from './configuration.ts';
import { findComtradeBinary, findComtradeText } from './find.ts';

const GOOD = [
  'UW Nord,REL 7,1999',
  '3,2A,1D',
  '1,UL1,A,,kV,0.01,0,0,-32767,32767,110000,100,S',
  '2,IL1,A,,A,0.1,0,0,-32767,32767,600,1,S',
  '1,TRIP,,,0',
  '50',
  '1',
  '1000,10',
  '27/03/2014,10:11:12.123456',
  '27/03/2014,10:11:12.223456',
  'ASCII',
  '1',
];
const at = (line: number, text: string): readonly string[] => GOOD.toSpliced(line, 1, text);

function binary(samples: number, width: number): Buffer {
  const data = Buffer.alloc(samples * width, 0x7f);
  for (let sample = 0; sample < samples; sample++) {
    data.writeUInt32LE(sample + 1, sample * width);
    data.writeUInt32LE(sample * 100, sample * width + 4);
  }
  return data;
}

const ascii = (samples: number): string =>
  Array.from({ length: samples }, (_, index) => `${index + 1},${index * 1_000},5,-7,1`).join('\r\n');
const partOf = (found: Finding | undefined): Readonly<Record<string, unknown>> =>
  found?.facts?.['comtrade'] as Readonly<Record<string, unknown>>;

test('a configuration is understood', () => {
  const parsed = parseConfiguration(GOOD);
  expect(parsed?.warnings).toEqual([]);
  expect(comtradeConfiguration.parse(parsed?.configuration)).toMatchObject({
    revision: 1999,
    station: 'UW Nord',
    analogs: 2,
    digitals: 1,
    dataType: 'ascii',
    samples: 10,
    channels: [
      { name: 'UL1', phase: 'A', unit: 'kV' },
      { name: 'IL1', phase: 'A', unit: 'A' },
    ],
  });
});

describe('what recorders get wrong is named, and read all the same', () => {
  test.each([
    ['channel-count', at(1, '4,2A,1D')],
    ['unknown-revision', at(0, 'UW Nord,REL 7,2005')],
    ['data-type', at(10, 'BINARY32')],
    ['time-multiplier', GOOD.slice(0, -1)],
    ['start-time', at(8, 'yesterday')],
    ['no-sample-rate', at(6, '0')],
    ['line-frequency', at(5, '')],
    ['date-order', at(8, '03/27/2014,10:11:12.123456')],
    ['channel-numbers', at(3, '7,IL1,A,,A,0.1,0,0,-32767,32767,600,1,S')],
    ['missing-ratios', at(2, '1,UL1,A,,kV,0.01,0,0,-32767,32767')],
    ['leading-blank-lines', ['', ...GOOD]],
  ])('%s', (name, lines) => {
    expect(parseConfiguration(lines)?.warnings.map((warning) => warning.replace(/:.*/, ''))).toContain(name);
    expect(findComtradeText(sampleOf(lines.join('\n'), true))?.detector).toBe('comtrade-cfg');
  });
});

test('a table, settings and a letter are no configuration', () => {
  for (const text of ['a,b,c\n1,2,3\n4,5,6\n', '[a]\nb=1\n', 'Dear all,\n3,2,1\nbye\n', '']) {
    expect(findComtradeText(sampleOf(text, true))).toBeUndefined();
  }
});

test('data belong to the configuration that describes them, whatever they are called', () => {
  const configured = (type: string): ReturnType<typeof comtradeConfiguration.parse> =>
    comtradeConfiguration.parse(parseConfiguration(at(10, type))?.configuration);
  const text = comtradeData.parse(partOf(findComtradeText(sampleOf(ascii(10), true)))['data']);
  const short = comtradeData.parse(partOf(findComtradeText(sampleOf(ascii(9), true)))['data']);
  // 8 bytes, 2 channels of 2 bytes, a word of digitals.
  const bytes = binary(10, 14);
  const packed = comtradeData.parse(partOf(findComtradeBinary(bytes, bytes.length))['data']);
  expect([
    belongTogether(configured('ASCII'), text),
    belongTogether(configured('ASCII'), short),
    belongTogether(configured('ASCII'), packed),
  ]).toEqual([true, false, false]);
  expect([belongTogether(configured('BINARY'), packed), belongTogether(configured('FLOAT32'), packed)]).toEqual([
    true,
    false,
  ]);
});

test('numbers that do not count samples are no data', () => {
  expect(findComtradeText(sampleOf('1,0,5\n3,10,5\n4,20,5\n5,30,1\n', true))).toBeUndefined();
  expect(findComtradeText(sampleOf('1,900,5\n2,20,5\n3,1,5\n4,30,1\n', true))).toBeUndefined();
  expect(findComtradeBinary(Buffer.alloc(4_096), 4_096)).toBeUndefined();
  const backwards = binary(10, 14);
  backwards.writeUInt32LE(1, 14 * 8 + 4);
  expect(findComtradeBinary(backwards, backwards.length)).toBeUndefined();
});
