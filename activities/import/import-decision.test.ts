import { describe, expect, it } from 'vitest';
import type { TableOrigin } from '../../grid/history/sql-source.ts';
import { columnChange, decisionByCounts, keyChange, wayToImport, type ChangeFacts } from './import-decision.ts';

const table = { schema: 'public', name: 'readings' };
const last = { watermark: { position: '10:20:', fingerprint: 'db1' } };

describe('what is read of a table', () => {
  it.each(['full', 'incremental', 'merge'] as const)('is all of it when it was never imported (%s)', (mode) => {
    expect(wayToImport(table, mode, undefined, 'db1')).toEqual({ kind: 'whole', notes: [] });
  });

  it('is all of it in mode full', () => {
    expect(wayToImport(table, 'full', last, 'db1')).toEqual({ kind: 'whole', notes: [] });
  });

  it.each(['incremental', 'merge'] as const)('is what has changed since the last import in mode %s', (mode) => {
    expect(wayToImport(table, mode, last, 'db1')).toEqual({ kind: 'changes', since: last.watermark });
    const origin: TableOrigin = { table: '1', parts: ['2'], definitions: [] };
    const known = { ...last, origin: { table: '1', parts: ['2'], definitions: [] } };
    expect(wayToImport(table, mode, known, 'db1')).toEqual({ kind: 'changes', since: { ...last.watermark, origin } });
  });

  it('is all of it, with a word why, when the database was restored and the mode is merge', () => {
    expect(wayToImport(table, 'merge', last, 'db2')).toEqual({
      kind: 'whole',
      notes: [expect.stringMatching(/^public\.readings is imported whole: .*another database/)],
    });
  });

  it('is refused when the database was restored and rows are to be appended', () => {
    expect(wayToImport(table, 'incremental', last, 'db2')).toEqual({
      kind: 'refused',
      reason: expect.stringMatching(/another database.*mode merge or full/) as unknown,
    });
  });
});

describe('what becomes of counted changes', () => {
  const same: ChangeFacts = {
    mode: 'merge',
    reconcile: false,
    rowsBefore: 100,
    rowsImported: 100,
    counts: { rows: 100, chosen: 0 },
    hasMerges: false,
    key: { kind: 'same' },
    columns: { kind: 'same' },
    sharedSnapshots: true,
  };
  const inserted = { counts: { rows: 107, chosen: 7 } };
  const updated = { counts: { rows: 103, chosen: 7 } };
  const deleted = { counts: { rows: 96, chosen: 0 } };

  const cases: readonly [string, Partial<ChangeFacts>, string][] = [
    ['nothing has changed', {}, 'unchanged'],
    ['nothing has changed, appending', { mode: 'incremental' }, 'unchanged'],
    ['nothing has changed, without a key', { key: { kind: 'unusable', reason: 'it has no primary key' } }, 'unchanged'],
    [
      'nothing has changed, and what merges went by is no key',
      { hasMerges: true, key: { kind: 'unusable', reason: 'it has no primary key' } },
      'whole',
    ],
    ['rows were only inserted', inserted, 'append'],
    ['rows were only inserted, appending', { mode: 'incremental', ...inserted }, 'append'],
    [
      'rows were inserted, without a key',
      { key: { kind: 'unusable', reason: 'it has no primary key' }, ...inserted },
      'whole',
    ],
    [
      'rows were inserted, without a key, appending',
      { mode: 'incremental', key: { kind: 'unusable', reason: 'it has no primary key' }, ...inserted },
      'append',
    ],
    ['rows were inserted, with reconcile', { reconcile: true, ...inserted }, 'append'],
    ['rows may be updated before they are read', { sharedSnapshots: false, ...inserted }, 'merge'],
    [
      'rows were inserted, and are read through one connection, appending',
      { mode: 'incremental', sharedSnapshots: false, ...inserted },
      'append',
    ],
    ['rows were updated', updated, 'merge'],
    ['rows were updated, appending', { mode: 'incremental', ...updated }, 'refused'],
    [
      'rows were updated, without a key',
      { key: { kind: 'unusable', reason: 'it has no primary key' }, ...updated },
      'whole',
    ],
    ['rows were updated, or deleted, with reconcile', { reconcile: true, ...updated }, 'whole'],
    ['rows were deleted', deleted, 'merge'],
    ['rows were deleted, appending', { mode: 'incremental', ...deleted }, 'refused'],
    ['rows were deleted, with reconcile', { reconcile: true, ...deleted }, 'whole'],
    ['all rows were deleted, with reconcile', { reconcile: true, counts: { rows: 0, chosen: 0 } }, 'whole'],
    ['as many rows were deleted as inserted', { counts: { rows: 100, chosen: 5 } }, 'merge'],
    [
      'as many rows were deleted as inserted, appending',
      { mode: 'incremental', counts: { rows: 100, chosen: 5 } },
      'refused',
    ],
    ['there are more rows than can be', { counts: { rows: 110, chosen: 7 } }, 'whole'],
    [
      'there are more rows than can be, appending',
      { mode: 'incremental', counts: { rows: 110, chosen: 7 } },
      'refused',
    ],
    ['an earlier run may have left deleted rows, with reconcile', { reconcile: true, rowsImported: 104 }, 'whole'],
    ['an earlier run may have left deleted rows, without reconcile', { rowsImported: 104 }, 'unchanged'],
    ['a column was added', { columns: { kind: 'added', columns: ['c'] } }, 'whole'],
    [
      'a column was added, appending',
      { mode: 'incremental', columns: { kind: 'added', columns: ['c'] }, ...inserted },
      'append',
    ],
    ['a column was dropped', { columns: { kind: 'changed', description: 'without c' } }, 'whole'],
    [
      'a column was dropped, appending',
      { mode: 'incremental', columns: { kind: 'changed', description: 'without c' } },
      'refused',
    ],
    ['the key was changed', { key: { kind: 'changed' }, ...inserted }, 'whole'],
    ['the key was changed, appending', { mode: 'incremental', key: { kind: 'changed' }, ...inserted }, 'append'],
    [
      'the key was changed, appending to what was merged',
      { mode: 'incremental', hasMerges: true, key: { kind: 'changed' }, ...inserted },
      'refused',
    ],
    [
      'the key was dropped, appending to what was merged',
      { mode: 'incremental', hasMerges: true, key: { kind: 'unusable', reason: 'it has no primary key' }, ...inserted },
      'refused',
    ],
  ];

  it.each(cases)('%s', (_, facts, expected) => {
    const decision = decisionByCounts(table, { ...same, ...facts });
    expect(decision.kind === 'changes' ? decision.publishAs : decision.kind).toBe(expected);
    if (decision.kind === 'refused') expect(decision.reason).toMatch(/public\.readings.*mode merge or full/);
    if (decision.kind === 'whole') expect(decision.notes.join()).toContain('public.readings');
  });

  it('that leave deleted rows behind are told', () => {
    expect(decisionByCounts(table, { ...same, ...deleted })).toMatchObject({
      notes: ['4 rows of public.readings were deleted, and stay without reconcile.'],
    });
  });

  it('that leave old rows without a new column are told', () => {
    const columns = { kind: 'added', columns: ['c', 'd'] } as const;
    expect(decisionByCounts(table, { ...same, ...inserted, mode: 'incremental', columns })).toMatchObject({
      notes: [expect.stringContaining('NULL in the new columns c, d')],
    });
  });
});

describe('columns', () => {
  const a = { name: 'a', hiveType: 'INT' };
  const b = { name: 'b', hiveType: 'STRING' };

  it('are the same', () => {
    expect(columnChange([a, b], [a, b])).toEqual({ kind: 'same' });
  });

  it('were added at the end', () => {
    expect(columnChange([a], [a, b])).toEqual({ kind: 'added', columns: ['b'] });
  });

  it.each([
    ['in between', [a, { name: 'c', hiveType: 'INT' }], [a, b, { name: 'c', hiveType: 'INT' }], 'in another order'],
    ['dropped', [a, b], [a], 'without b'],
    ['retyped', [a, b], [{ ...a, hiveType: 'BIGINT' }, b], 'a BIGINT for INT'],
    ['swapped', [a, b], [b, a], 'in another order'],
    ['renamed', [a, b], [a, { ...b, name: 'c' }], 'without b'],
  ])('were changed: %s', (_, before, now, description) => {
    expect(columnChange(before, now)).toEqual({ kind: 'changed', description });
  });
});

describe('a primary key', () => {
  const columns = [{ name: 'a' }, { name: 'b' }];

  it('is the same in another order of its columns', () => {
    expect(keyChange(['a', 'b'], { key: ['b', 'a'], columns })).toEqual({ kind: 'same' });
  });

  it('is unusable when there is none, or a column of it is left out', () => {
    expect(keyChange(['a'], { key: [], columns })).toEqual({ kind: 'unusable', reason: 'it has no primary key' });
    expect(keyChange(['a', 'c'], { key: ['a', 'c'], columns })).toEqual({
      kind: 'unusable',
      reason: 'the key column c is not imported',
    });
    expect(keyChange(['a'], { key: [], keyless: 'it holds for heirs', columns })).toEqual({
      kind: 'unusable',
      reason: 'it holds for heirs',
    });
  });

  it('was changed', () => {
    expect(keyChange(['a'], { key: ['a', 'b'], columns })).toEqual({ kind: 'changed' });
    expect(keyChange([], { key: ['a'], columns })).toEqual({ kind: 'changed' });
  });
});
