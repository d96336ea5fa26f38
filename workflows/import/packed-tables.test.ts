import { describe, expect, it } from 'vitest';
import type { TableResult } from './activity-contract.ts';
import { packTables, unpackTable } from './packed-tables.ts';
import { NO_FIGURES, published, type TableWork } from './table-work.ts';

/** What Temporal refuses. */
const LIMIT_BYTES = 2 << 20;

const snapshot = { id: '00000003-0000001B-1', position: '741:745:742', takenAt: '2026-03-01T02:00:00.123+01:00' };
const table = { schema: 'public', name: 'telemetry' };

function result(name: string, remarks = 0): TableResult {
  return {
    table: { schema: 'public', name },
    publishedAs: 'full',
    hiveTable: `history_postgres.${name}`,
    directory: `/imports/postgres/public.${name}/run=2026-03-01-0123456789ab`,
    rows: 1_234_567,
    sourceRows: 1_234_567,
    textBytes: 123_456_789,
    fileBytes: 12_345_678,
    splits: 12,
    digest: '0123456789abcdef0123456789abcdef',
    verified: true,
    notes: [],
    remarks: Array.from({ length: remarks }, (_, at) => ({
      column: `c${at}`,
      sourceType: 'geometry',
      reason: 'Hive has no such type, and the text form may not be read back',
      done: 'kept as text',
    })),
  };
}

const parked = [{ split: 3, code: 'row-too-large', reason: 'a row of 3 GB' }];
const figures = { rows: 10, textBytes: 200, fileBytes: 50 };
const works: readonly TableWork[] = [
  { state: 'unplanned', table, splits: 7, parked },
  {
    state: 'planned',
    table,
    publishAs: 'merge',
    splits: 7,
    estimatedRows: 70,
    done: [
      [0, 3],
      [4, 7],
    ],
    figures,
    parked,
    snapshot,
  },
  {
    state: 'planned',
    table,
    publishAs: 'append',
    splits: 0,
    estimatedRows: 0,
    done: [],
    figures: NO_FIGURES,
    parked: [],
  },
  { state: 'unchanged', table, rows: 70 },
  published(result('telemetry', 2)),
  { state: 'published', table, splits: 7, figures },
  { state: 'parked', table, code: 'table-changed', reason: 'it was truncated', splits: [3], refused: false },
  { state: 'gone', table, reason: 'it was dropped' },
];

describe('packed tables', () => {
  it('are unpacked as they were', () => {
    const travelled = JSON.parse(JSON.stringify(packTables(works))) as ReturnType<typeof packTables>;
    expect(travelled.map(unpackTable)).toEqual(works);
  });

  it.each([
    ['planned', (at: number): TableWork => ({ ...planned(at), parked: [] })],
    [
      'planned, each with a parked split',
      (at: number): TableWork => ({
        ...planned(at),
        parked: [{ split: 1, code: 'row-too-large', reason: 'long '.repeat(100) }],
      }),
    ],
    ['published', (at: number): TableWork => published(result(`measurements_of_substation_${at}`, 20))],
    [
      'parked',
      (at: number): TableWork => ({
        state: 'parked',
        table: planned(at).table,
        code: 'unsupported-column',
        reason: 'long '.repeat(100),
        splits: [],
        refused: true,
      }),
    ],
  ])('fit into one payload when there are 10,000, all %s', (_state, work) => {
    const many = Array.from({ length: 10_000 }, (_, at) => work(at));
    const packed = packTables(many);
    expect(Buffer.byteLength(JSON.stringify(packed))).toBeLessThan(LIMIT_BYTES);
    expect(packed.map(unpackTable).map(({ state }) => state)).toEqual(many.map(({ state }) => state));
  });

  it('keep the figures of published tables when there is no room for their results', () => {
    const many = Array.from({ length: 5_000 }, (_, at) => published(result(`t${at}`)));
    expect(unpackTable(packTables(many)[0] ?? ['gone', '', '', ''])).toEqual({
      state: 'published',
      table: { schema: 'public', name: 't0' },
      splits: 12,
      figures: { rows: 1_234_567, textBytes: 123_456_789, fileBytes: 12_345_678 },
    });
  });
});

function planned(at: number): Extract<TableWork, { state: 'planned' }> {
  const name = `measurements_of_substation_${at}`;
  return {
    state: 'planned',
    table: { schema: 'public', name },
    publishAs: 'full',
    splits: 25,
    estimatedRows: 12_345_678,
    done: [[0, 25]],
    figures: { rows: 12_345_678, textBytes: 1_234_567_890, fileBytes: 123_456_789 },
    parked: [],
  };
}
