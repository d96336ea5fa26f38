import { describe, expect, it } from 'vitest';
import { chooseTables, type FoundTable } from './chosen-tables.ts';

const found: readonly FoundTable[] = [
  { schema: 'archive', name: 'load', readable: true },
  { schema: 'public', name: 'load', readable: true },
  { schema: 'public', name: 'Readings', readable: true },
  { schema: 'public', name: 'secret', readable: false },
  { schema: 'public', name: 'dotted.name', readable: true },
];
const choose = (input: Partial<Parameters<typeof chooseTables>[2]>, tables = found) =>
  chooseTables('history', tables, { exclude: [], ...input });
const problem = (code: string, message: RegExp): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown });

describe('the tables of an import', () => {
  it('are all that may be read, and the others are told', () => {
    const { tables, skipped } = choose({});
    expect(tables.map(({ name }) => name)).toEqual(['load', 'load', 'Readings', 'dotted.name']);
    expect(skipped).toEqual([{ table: { schema: 'public', name: 'secret' }, reason: 'There is no right to read it.' }]);
  });

  it('are those named, with or without their schema, each once', () => {
    const { tables } = choose({ tables: ['Readings', 'public.Readings', 'archive.load', 'public.dotted.name'] });
    expect(tables).toEqual([
      { schema: 'public', name: 'Readings' },
      { schema: 'archive', name: 'load' },
      { schema: 'public', name: 'dotted.name' },
    ]);
  });

  it('are without those excluded', () => {
    expect(choose({ exclude: ['archive.load', 'dotted.name'] }).tables).toEqual([
      { schema: 'public', name: 'load' },
      { schema: 'public', name: 'Readings' },
    ]);
  });

  it('must exist: all that do not are named, with what they may have meant', () => {
    const names = ['public.readings', 'public.lod', 'nothing_like_it'];
    expect(() => choose({ tables: names })).toThrow(
      problem(
        'unknown-table',
        /no table public\.readings \(did you mean public\.Readings\?\), public\.lod \(did you mean archive\.load or public\.load\?\), nothing_like_it\./,
      ),
    );
  });

  it('must exist where they are excluded, or given a cursor or a mapping', () => {
    const unknown = problem('unknown-table', /no table redings \(did you mean public\.Readings\?\)/);
    expect(() => choose({ exclude: ['redings'] })).toThrow(unknown);
    expect(() => choose({ cursor: { redings: 'id' } })).toThrow(unknown);
    const column = { column: 'c' };
    const mapping = { sensorId: column, time: column, zone: 'UTC', value: column, unit: column, aspect: column };
    expect(() => choose({ telemetry: { redings: mapping } })).toThrow(unknown);
  });

  it('must be named with their schema where several have the name', () => {
    expect(() => choose({ tables: ['load'] })).toThrow(
      problem('invalid-input', /load \(archive\.load, public\.load\)/),
    );
  });

  it('must be readable where they are named', () => {
    expect(() => choose({ tables: ['secret'] })).toThrow(problem('source-denied', /public\.secret.*Grant SELECT/));
  });

  it('must be one at least', () => {
    expect(() => choose({}, [])).toThrow(problem('unknown-table', /there are no tables/));
    expect(() => choose({ tables: ['Readings'], exclude: ['Readings'] })).toThrow(
      problem('unknown-table', /all tables are excluded/),
    );
    const secret = found.filter(({ readable }) => !readable);
    expect(() => choose({}, secret)).toThrow(problem('unknown-table', /no right to read any of its 1 tables/));
  });

  it('that are missing by the thousand make no endless message', () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `missing_${index}`);
    expect(() => choose({ tables: names })).toThrow(problem('unknown-table', /missing_9 and 4990 more\./));
  });
});
