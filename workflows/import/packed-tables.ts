import type { TableResult } from './activity-contract.ts';
import type { SourceSnapshot } from '../../grid/history/sql-source.ts';
import type { SplitRange } from './split-ranges.ts';
import type { Figures, ParkedSplit, PublishAs, TableWork } from './table-work.ts';

type PackedSplit = readonly [split: number, code: string, reason: string];
type PackedFigures = readonly [rows: number, textBytes: number, fileBytes: number];

/**
 * A table as it travels between workflows, and from one of a workflow's runs to the next. Short, since it may be one of ten
 * thousand in a payload of at most 2 MB.
 */
export type PackedTable =
  | readonly [state: 'unplanned', schema: string, name: string, splits: number, parked: readonly PackedSplit[]]
  | readonly [
      state: 'planned',
      schema: string,
      name: string,
      publishAs: PublishAs,
      splits: number,
      estimatedRows: number,
      done: readonly SplitRange[],
      figures: PackedFigures,
      parked: readonly PackedSplit[],
      snapshot: SourceSnapshot | null,
    ]
  | readonly [state: 'unchanged', schema: string, name: string, rows: number]
  | readonly [
      state: 'published',
      schema: string,
      name: string,
      splits: number,
      figures: PackedFigures,
      result: TableResult | null,
    ]
  | readonly [
      state: 'parked',
      schema: string,
      name: string,
      code: string,
      reason: string,
      splits: readonly number[],
      refused: boolean,
    ]
  | readonly [state: 'gone', schema: string, name: string, reason: string];

/** Temporal refuses payloads of 2 MB, and warns from 512 kB on. */
const COMFORTABLE_CHARACTERS = 400_000;
const SHORT_REASON = 30;

/**
 * Packs tables for one payload. Of very many, what only people read is left out: first remarks and notes, then the results of
 * published tables and the ends of long reasons.
 */
export function packTables(works: readonly TableWork[]): readonly PackedTable[] {
  const whole = works.map(packTable);
  if (isComfortable(whole)) return whole;
  const withoutRemarks = whole.map((table) => shortened(table, false));
  return isComfortable(withoutRemarks) ? withoutRemarks : whole.map((table) => shortened(table, true));
}

function isComfortable(value: unknown): boolean {
  return JSON.stringify(value).length <= COMFORTABLE_CHARACTERS;
}

function shortened(table: PackedTable, much: boolean): PackedTable {
  if (table[0] === 'published') {
    const [state, schema, name, splits, figures, result] = table;
    return [
      state,
      schema,
      name,
      splits,
      figures,
      much || result === null ? null : { ...result, remarks: [], notes: [] },
    ];
  }
  if (!much) return table;
  if (table[0] === 'parked') {
    const [state, schema, name, code, reason, splits, refused] = table;
    return [state, schema, name, code, reason.slice(0, SHORT_REASON), splits, refused];
  }
  if (table[0] === 'planned') {
    const [state, schema, name, publishAs, splits, rows, done, figures, parked, snapshot] = table;
    const short = parked.map(
      ([split, code, reason], at) => [split, code, at === 0 ? reason.slice(0, SHORT_REASON) : ''] as const,
    );
    return [state, schema, name, publishAs, splits, rows, done, figures, short, snapshot];
  }
  return table;
}

function packTable(work: TableWork): PackedTable {
  const { schema, name } = work.table;
  switch (work.state) {
    case 'unplanned':
      return ['unplanned', schema, name, work.splits, work.parked.map(packSplit)];
    case 'planned': {
      const { publishAs, splits, estimatedRows, done, figures, parked, snapshot } = work;
      return [
        'planned',
        schema,
        name,
        publishAs,
        splits,
        estimatedRows,
        done,
        packFigures(figures),
        parked.map(packSplit),
        snapshot ?? null,
      ];
    }
    case 'unchanged':
      return ['unchanged', schema, name, work.rows];
    case 'published':
      return ['published', schema, name, work.splits, packFigures(work.figures), work.result ?? null];
    case 'parked':
      return ['parked', schema, name, work.code, work.reason, work.splits, work.refused];
    case 'gone':
      return ['gone', schema, name, work.reason];
  }
}

export function unpackTable(packed: PackedTable): TableWork {
  const table = { schema: packed[1], name: packed[2] };
  switch (packed[0]) {
    case 'unplanned':
      return { state: 'unplanned', table, splits: packed[3], parked: packed[4].map(unpackSplit) };
    case 'planned': {
      const [, , , publishAs, splits, estimatedRows, done, figures, parked, snapshot] = packed;
      const rest = {
        publishAs,
        splits,
        estimatedRows,
        done,
        figures: unpackFigures(figures),
        parked: parked.map(unpackSplit),
      };
      return { state: 'planned', table, ...rest, ...(snapshot === null ? {} : { snapshot }) };
    }
    case 'unchanged':
      return { state: 'unchanged', table, rows: packed[3] };
    case 'published': {
      const [, , , splits, figures, result] = packed;
      const rest = { splits, figures: unpackFigures(figures) };
      return { state: 'published', table, ...rest, ...(result === null ? {} : { result }) };
    }
    case 'parked': {
      const [, , , code, reason, splits, refused] = packed;
      return { state: 'parked', table, code, reason, splits, refused };
    }
    case 'gone':
      return { state: 'gone', table, reason: packed[3] };
  }
}

function packFigures({ rows, textBytes, fileBytes }: Figures): PackedFigures {
  return [rows, textBytes, fileBytes];
}

function unpackFigures([rows, textBytes, fileBytes]: PackedFigures): Figures {
  return { rows, textBytes, fileBytes };
}

function packSplit({ split, code, reason }: ParkedSplit): PackedSplit {
  return [split, code, reason];
}

function unpackSplit([split, code, reason]: PackedSplit): ParkedSplit {
  return { split, code, reason };
}
