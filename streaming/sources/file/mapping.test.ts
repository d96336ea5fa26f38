import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { matchesAny, parseMapping, readMapping } from './mapping.ts';

const wide = { layout: 'wide', path: 'a.csv', unit: 'MW', time: { column: 'time' } };
const parse = (changed: object) => parseMapping({ dataset: 'test', files: [wide], ...changed }, 'test.json');

test('what is left out has its default', () => {
  expect(parse({}).files[0]).toEqual({
    layout: 'wide',
    path: 'a.csv',
    delimiter: ',',
    quote: '"',
    encoding: 'utf-8',
    lastLine: 'settled',
    skipLines: 0,
    decimal: '.',
    thousands: '',
    time: { column: 'time', format: 'iso', timeZone: 'UTC', overlap: 'by-order' },
    missing: [''],
    aspect: 'real_time',
    id: '{column}',
    unit: 'MW',
    units: {},
    include: ['*'],
    exclude: [],
  });
});

test('defaults hold for all files, and a file has the last word', () => {
  const { files } = parse({
    defaults: {
      ...wide,
      delimiter: ';',
      time: { column: 'time', format: 'DD.MM.YYYY HH:mm', timeZone: 'Europe/Berlin' },
    },
    files: [{ path: 'a.csv' }, { path: 'b.csv', delimiter: '\t', time: { timeZone: '+01:00' } }],
  });
  expect(files.map(({ delimiter }) => delimiter)).toEqual([';', '\t']);
  expect(files.map(({ time }) => time)).toMatchObject([
    { format: 'DD.MM.YYYY HH:mm', timeZone: 'Europe/Berlin' },
    { format: 'DD.MM.YYYY HH:mm', timeZone: '+01:00' },
  ]);
});

describe('a mistake is told with its place', () => {
  test.each([
    [{ dataset: 'a b' }, 'dataset: '],
    [{ files: [] }, 'files: '],
    [{ files: [{ ...wide, layout: 'tall' }] }, 'files.0.layout'],
    [{ files: [wide, { ...wide, path: 'b.csv', delimiter: ';;' }] }, 'files.1.delimiter: must be one character'],
    [{ files: [{ ...wide, time: { column: 'time', timeZone: 'Mars' } }] }, 'files.0.time.timeZone: '],
    [{ files: [{ ...wide, time: { column: 'time', format: 'HH:mm' } }] }, 'files.0.time.format: '],
    [{ files: [{ ...wide, id: 'all' }] }, 'files.0.id: must contain {column}'],
    [{ files: [{ ...wide, unitt: 'MW' }] }, 'unitt'],
    [{ files: [wide, wide] }, 'a.csv is named twice'],
    [{ files: [{ ...wide, decimal: ',', thousands: ',' }] }, 'files.0.thousands'],
    [{ files: [{ layout: 'long', path: 'a', time: { column: 't' }, sensorColumn: 's', valueColumn: 'v' }] }, 'unit'],
  ])('%j', (changed, place) => {
    expect(() => parse(changed)).toThrow(place);
    expect(() => parse(changed)).toThrow('test.json');
  });

  test('something else than an object', () => {
    expect(() => parseMapping(7, 'test.json')).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
  });
});

test('a mapping file may begin with a byte order mark; one that is not there or no JSON is told', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'powergrid-mapping-'));
  const path = join(directory, 'mapping.json');
  try {
    await expect(readMapping(path)).rejects.toThrow(/ENOENT/);
    await writeFile(path, `\uFEFF${JSON.stringify({ dataset: 'test', files: [wide] })}`);
    expect(await readMapping(path)).toMatchObject({ dataset: 'test' });
    await writeFile(path, '{');
    await expect(readMapping(path)).rejects.toMatchObject({ code: 'invalid-configuration' });
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('a star in a pattern stands for any text, everything else for itself', () => {
  expect(matchesAny('G0-A_pload', ['*_qload', '*_pload'])).toBe(true);
  expect(matchesAny('G0-A_qload', ['*_pload'])).toBe(false);
  expect(matchesAny('a+b', ['a.b', 'a+'])).toBe(false);
  expect(matchesAny('lv_rural1_pload', ['lv_*'])).toBe(true);
});
