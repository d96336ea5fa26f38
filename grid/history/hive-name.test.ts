import { describe, expect, it } from 'vitest';
import { columnsFingerprint, hiveColumnNames, hiveReadingsNames, hiveTableNames } from './hive-name.ts';

describe('the name of a table in Hive', () => {
  it.each([
    ['postgres', 'public', 'telemetry', 'telemetry'],
    ['postgres', 'dbo', 'telemetry', 'dbo__telemetry'],
    ['sqlserver', 'dbo', 'Customers', 'customers'],
    ['sqlserver', 'Sales', 'Order Lines', 'sales__order_lines'],
    ['postgres', 'public', '_private', '_private'],
    ['postgres', 'public', 'Größe 1', 'gr__e_1'],
  ] as const)('%s %s.%s is %s', (source, schema, name, expected) => {
    expect(hiveTableNames(source, { schema, name })[0]).toBe(expected);
  });

  it('has a second choice that tells it from every other', () => {
    const [first, second] = hiveTableNames('postgres', { schema: 'public', name: 'Users' });
    const [other, otherSecond] = hiveTableNames('postgres', { schema: 'public', name: 'users' });
    expect(first).toBe(other);
    expect(second).toMatch(/^users_[0-9a-f]{6}$/);
    expect(second).not.toBe(otherSecond);
  });

  it('says something where no letter is left, and fits where it is long', () => {
    expect(hiveTableNames('postgres', { schema: 'public', name: '测量' })[0]).toMatch(/^table_[0-9a-f]{6}$/);
    const [long] = hiveTableNames('sqlserver', { schema: 's'.repeat(128), name: 't'.repeat(128) });
    expect(long).toMatch(/^s{93}_[0-9a-f]{6}$/);
    expect(hiveReadingsNames('postgres', { schema: 'public', name: 't' }, 't')[0]).toBe('t__readings');
  });
});

describe('the names of columns in Hive', () => {
  it('are lower-case letters, digits and underscores', () => {
    expect(hiveColumnNames(['id', 'measuredAt', 'Value (kW)', '_id', '1st'])).toEqual([
      'id',
      'measuredat',
      'value__kw_',
      '_id',
      '1st',
    ]);
  });

  it('are told apart where they become the same, and whoever is written so keeps it', () => {
    const names = hiveColumnNames(['A', 'a', 'ä', 'ö', 'a b', 'a_b']);
    expect(names[1]).toBe('a');
    expect(names[0]).toMatch(/^a_[0-9a-f]{6}$/);
    expect(names[5]).toBe('a_b');
    expect(new Set(names).size).toBe(6);
  });

  it('leave alone what the tables under the views need', () => {
    const names = hiveColumnNames(['import_run', 'IMPORT_GENERATION', 'import_rank', 'run']);
    expect(names.slice(0, 3)).toEqual([
      expect.stringMatching(/^import_run_[0-9a-f]{6}$/),
      expect.stringMatching(/^import_generation_[0-9a-f]{6}$/),
      expect.stringMatching(/^import_rank_[0-9a-f]{6}$/),
    ]);
    expect(names[3]).toBe('run');
  });

  it('stay unique even where a column is called like another one with its digest', () => {
    const [withDigest] = hiveColumnNames(['A', 'a']);
    const names = hiveColumnNames(['A', 'a', withDigest ?? '']);
    expect(new Set(names).size).toBe(3);
    expect(names[2]).toBe(withDigest);
  });
});

describe('the fingerprint of a list of columns', () => {
  const columns = [
    { name: 'a', hiveType: 'INT' },
    { name: 'b', hiveType: 'STRING' },
  ];

  it('changes with every name, type and order', () => {
    const same = columnsFingerprint(columns.map((column) => ({ ...column, sourceType: 'x' })));
    expect(same).toBe(columnsFingerprint(columns));
    const others = [
      columns.toReversed(),
      columns.slice(1),
      [{ name: 'a', hiveType: 'BIGINT' }, ...columns.slice(1)],
      [{ name: 'aa', hiveType: 'INT' }, ...columns.slice(1)],
    ].map(columnsFingerprint);
    expect(new Set([same, ...others]).size).toBe(5);
    expect(same).toMatch(/^[0-9a-f]{8}$/);
  });
});
