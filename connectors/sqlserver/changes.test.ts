import { describe, expect, it } from 'vitest';
import { GridError } from '../../grid/errors.ts';
import type { ChangesSince } from '../../grid/history/sql-source.ts';
import type { CatalogueColumn, TableDescription } from './catalogue.ts';
import { changeTracking, cursorRange, highestStatement, rowversionRange } from './changes.ts';
import { originOf } from './origin.ts';
import { testColumn } from './test-columns.ts';

const server = { fingerprint: 'this' };
const position = '0x00000000000007D1';
const since = (more: Partial<ChangesSince> = {}): ChangesSince => ({ position, fingerprint: 'this', ...more });
const tableOf = (...columns: CatalogueColumn[]): TableDescription => ({
  table: { schema: 'dbo', name: 'telemetry' },
  identity: '',
  origin: originOf('101/2024', ['1:11', '2:22'], columns),
  columns,
  indexes: [],
  estimatedRows: 0,
  estimatedBytes: 0,
});
const id = testColumn('id', 'bigint');
const version = testColumn('rv', 'timestamp', { maxLength: 8 });
const refusal = (work: () => unknown): GridError => {
  try {
    work();
  } catch (error) {
    if (error instanceof GridError) return error;
  }
  throw new Error('not refused');
};

describe('what an incremental import reads', () => {
  it('is told by the rowversion column, whatever cursor is named', () => {
    expect(changeTracking(tableOf(id, version), since(), { cursor: 'id' }, server)).toEqual({
      kind: 'rowversion',
      column: 'rv',
      from: position,
    });
  });

  it('lies between two rowversions, so that what was uncommitted last time comes now', () => {
    expect(rowversionRange({ column: 'rv', from: position }, '0x00000000000007E0')).toEqual({
      condition: `t.[rv] >= CONVERT(binary(8), ${position}) AND t.[rv] < CONVERT(binary(8), 0x00000000000007E0)`,
      horizon: 't.[rv] < CONVERT(binary(8), 0x00000000000007E0)',
      upperPosition: '0x00000000000007E0',
    });
  });

  it('is told by the cursor column where there is no rowversion', () => {
    const tracking = changeTracking(tableOf(id), since({ cursor: 'id', cursorValue: '41' }), { cursor: 'id' }, server);
    expect(tracking).toMatchObject({ kind: 'cursor', column: 'id', above: '41' });
    if (tracking.kind !== 'cursor') throw new Error('no cursor');
    expect(cursorRange(tracking, '99')).toEqual({
      condition: "t.[id] > CONVERT(bigint, N'41') AND t.[id] <= CONVERT(bigint, N'99')",
      horizon: "t.[id] <= CONVERT(bigint, N'99') OR t.[id] IS NULL",
    });
    expect(cursorRange(tracking, undefined).condition).toBe('1 = 0');
    expect(highestStatement({ schema: 'dbo', name: 'telemetry' }, tracking, 't.[x] = 1')).toContain(
      'SELECT MAX(t.[id]) AS m FROM [dbo].[telemetry] AS t WHERE t.[x] = 1',
    );
  });

  it('starts with everything when the table had no cursor value before', () => {
    const tracking = changeTracking(tableOf(id), since({ cursor: 'id' }), { cursor: 'id' }, server);
    if (tracking.kind !== 'cursor') throw new Error('no cursor');
    expect(cursorRange(tracking, '99').condition).toBe("t.[id] <= CONVERT(bigint, N'99')");
  });

  it.each([
    ['another database', since({ fingerprint: 'other' }), { cursor: 'id' }, 'another database'],
    ['no cursor', since(), {}, 'no cursor column was named'],
    ['another cursor than before', since({ cursor: 'at' }), { cursor: 'id' }, 'went by column at'],
    ['a cursor that the last import did not go by', since(), { cursor: 'id' }, 'did not go by column id'],
  ])('is refused with %s', (_, from, options, reason) => {
    const error = refusal(() => changeTracking(tableOf(id), from, options, server));
    expect(error.code).toBe('append-impossible');
    expect(error.message).toContain(reason);
  });

  const at = testColumn('at', 'datetime2', { scale: 7 });

  it.each([
    [
      'another table was renamed to its name',
      originOf('102/2025', ['1:11', '2:22'], [id, at]),
      'not the one that was imported',
    ],
    ['a partition was exchanged', originOf('101/2024', ['1:11', '2:99'], [id, at]), 'a partition was exchanged'],
    ['partitions changed places', originOf('101/2024', ['1:22', '2:11'], [id, at]), 'a partition was exchanged'],
    [
      'a column was dropped and added again',
      originOf('101/2024', ['1:11', '2:22'], [id, testColumn('at', 'datetime2', { scale: 7, number: '9' })]),
      'column at was altered',
    ],
    [
      'a column got another scale',
      originOf('101/2024', ['1:11', '2:22'], [id, testColumn('at', 'datetime2', { scale: 3 })]),
      'column at was altered',
    ],
  ])('is refused when %s', (_, before, reason) => {
    const error = refusal(() => changeTracking(tableOf(id, at, version), since({ origin: before }), {}, server));
    expect(error.code).toBe('append-impossible');
    expect(error.message).toContain(reason);
  });

  it('is found where columns were only added, and where the last import kept no origin', () => {
    const origin = originOf('101/2024', ['1:11', '2:22'], [id]);
    expect(changeTracking(tableOf(id, at, version), since({ origin }), {}, server).kind).toBe('rowversion');
    expect(changeTracking(tableOf(id, at, version), since(), {}, server).kind).toBe('rowversion');
  });

  it('is refused with a cursor that the table does not have, or that has no order', () => {
    const from = since({ cursor: 'nope' });
    expect(refusal(() => changeTracking(tableOf(id), from, { cursor: 'nope' }, server)).code).toBe('unknown-column');
    const variant = tableOf(testColumn('v', 'sql_variant'));
    expect(refusal(() => changeTracking(variant, since({ cursor: 'v' }), { cursor: 'v' }, server)).code).toBe(
      'append-impossible',
    );
  });

  it('falls back to the cursor when the last import kept no rowversion position', () => {
    const tracking = changeTracking(
      tableOf(id, version),
      since({ position: '', cursor: 'id' }),
      { cursor: 'id' },
      server,
    );
    expect(tracking.kind).toBe('cursor');
  });
});
