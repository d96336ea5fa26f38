import { encodeEnvelope } from '../../../grid/envelope.ts';
import type { ProducedRecord } from '../../../connectors/kafka/produce/record-producer.ts';
import type { Line } from './lines.ts';
import { matchesAny } from './mapping.ts';
import { nameUuids } from './name-uuid.ts';
import { createdAtText, timeMs, type SeriesClock, type SeriesTime } from './series-time.ts';
import { fillTemplate, isSensorId, splitCells, stem, type TableLayout } from './table.ts';
import { numberText } from './value-text.ts';

/** A row, or one of its cells, that cannot be made into a reading. */
export interface BadData {
  readonly row: number;
  /** Name of the column at fault; empty when it is the row as a whole. */
  readonly column: string;
  readonly detail: string;
  /** What stands in the file: the cell with the time of its row, or the whole line. */
  readonly text: string;
}

/** One measured cell. */
export interface Cell {
  readonly sensorId: string;
  readonly unit: string;
  /** JSON number text. */
  readonly value: string;
}

/** What a line of a table holds. */
export type RowContent =
  | {
      readonly kind: 'readings';
      readonly time: SeriesTime;
      readonly timeMs: number;
      readonly cells: readonly Cell[];
      readonly missing: number;
      readonly bad: readonly BadData[];
    }
  | { readonly kind: 'bad'; readonly bad: BadData }
  /** A blank line, or a time outside the range. */
  | { readonly kind: 'nothing'; readonly timeMs?: number };

/** Event times that are wanted, epoch milliseconds: from `fromMs` on, before `toMs`. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export const ALL_TIMES: TimeRange = { fromMs: -Infinity, toMs: Infinity };

/** Reads a line by the mapping. `clock` is the file's own and must see its lines in order. */
export function readRow(line: Line, layout: TableLayout, clock: SeriesClock, range: TimeRange): RowContent {
  if (line.text.trim() === '') return { kind: 'nothing' };
  const bad = (column: string, detail: string): RowContent => ({
    kind: 'bad',
    bad: { row: line.row, column, detail, text: line.text },
  });
  if (line.problem === 'continued')
    return bad('', 'it continues a line of which the part before was taken already, as if it had been whole');
  if (line.problem === 'overlong') return bad('', 'the line is longer than 4 MiB');
  if (line.problem === 'invalid-encoding') return bad('', 'the line is not valid UTF-8; is it latin1?');
  const { mapping, header } = layout;
  const cells = splitCells(line.text, mapping);
  if (cells === undefined) return bad('', 'its quotes do not match up');
  // A delimiter at the end of each line is common and harmless.
  while (cells.length > header.length && cells[cells.length - 1] === '') cells.pop();
  if (cells.length !== header.length) return bad('', `it has ${cells.length} cells, the header ${header.length}`);

  const timeText = layout.timeColumns.map((index) => (cells[index] ?? '').trim()).join(' ');
  const time = clock.read(timeText);
  if (!time.ok) return bad(layout.timeColumns.map((index) => header[index]).join(' '), time.message);
  const ms = timeMs(time.time);
  if (ms < range.fromMs || ms >= range.toMs) return { kind: 'nothing', timeMs: ms };
  const content =
    layout.columns.layout === 'wide' ? readWide(cells, timeText, line, layout) : readLong(cells, line, layout);
  return { kind: 'readings', time: time.time, timeMs: ms, ...content };
}

type Content = { cells: Cell[]; missing: number; bad: BadData[] };

function readWide(cells: readonly string[], timeText: string, line: Line, layout: TableLayout): Content {
  const content: Content = { cells: [], missing: 0, bad: [] };
  const { mapping, columns } = layout;
  if (columns.layout !== 'wide') return content;
  for (const { index, column, sensorId, unit } of columns.series) {
    const cell = cells[index] ?? '';
    if (mapping.missing.includes(cell)) {
      content.missing += 1;
      continue;
    }
    const value = numberText(cell, mapping);
    if (value === undefined) {
      const text = `${timeText}${mapping.delimiter}${cell}`;
      content.bad.push({ row: line.row, column, detail: `${JSON.stringify(cell)} is not a number`, text });
    } else {
      content.cells.push({ sensorId, unit, value });
    }
  }
  return content;
}

function readLong(cells: readonly string[], line: Line, layout: TableLayout): Content {
  const content: Content = { cells: [], missing: 0, bad: [] };
  const { mapping, columns, header } = layout;
  if (columns.layout !== 'long' || mapping.layout !== 'long') return content;
  const bad = (index: number, detail: string): Content => {
    content.bad.push({ row: line.row, column: header[index] ?? '', detail, text: line.text });
    return content;
  };
  const sensor = (cells[columns.sensor] ?? '').trim();
  if (!matchesAny(sensor, mapping.include) || matchesAny(sensor, mapping.exclude)) return content;
  const sensorId = fillTemplate(mapping.id, { sensor, file: stem(layout.path) });
  if (sensor === '' || !isSensorId(sensorId))
    return bad(columns.sensor, `${JSON.stringify(sensor)} gives no sensor id`);
  const cell = cells[columns.value] ?? '';
  if (mapping.missing.includes(cell)) {
    content.missing += 1;
    return content;
  }
  const value = numberText(cell, mapping);
  if (value === undefined) return bad(columns.value, `${JSON.stringify(cell)} is not a number`);
  const unit = columns.unit === undefined ? mapping.unit : cells[columns.unit]?.trim();
  if (unit === undefined || unit.length > 64)
    return bad(columns.unit ?? columns.value, 'its unit is longer than 64 characters');
  content.cells.push({ sensorId, unit, value });
  return content;
}

/** Name space of the correlation ids of file sources (RFC 9562, section 6.6); a random UUID, fixed once and for all. */
export const CELL_NAMESPACE = 'b1f6e3a2-6c55-4d0e-9b42-7b0c5f1d8a90';
const cellUuid = nameUuids(CELL_NAMESPACE);

/**
 * A cell as a record of the readings topic.
 *
 * Its correlation id is a UUID of version 5 over data set, file, row, sensor and event time: the same cell gives the same id in every
 * replay, on every machine. The row is in it, so that two cells with one sensor and time are two readings, not a
 * duplicate of which a consumer might drop one.
 */
export function toRecord(
  dataset: string,
  layout: TableLayout,
  row: number,
  cell: Cell,
  time: SeriesTime,
): ProducedRecord {
  const createdAt = createdAtText(time);
  const { aspect, path } = layout.mapping;
  const correlationId = cellUuid(`${dataset}\n${path}\n${row}\n${cell.sensorId}\n${aspect}\n${createdAt}`);
  return {
    key: cell.sensorId,
    value: encodeEnvelope({
      sensorId: cell.sensorId,
      modality: cell.value,
      unit: cell.unit,
      aspect,
      correlationId,
      createdAt,
    }),
  };
}

/** Kafka takes messages up to 1 MB; what is longer goes in several. */
const LONGEST_TEXT_CHARACTERS = 200_000;

/**
 * What cannot be a reading, as lines for the topic of unorganized text: `file TAB row TAB column TAB code TAB what is wrong TAB the text`.
 * A line says all by itself, since headers do not reach the text files that are made of the topic.
 */
export function toUnorganized(layout: TableLayout, bad: BadData): ProducedRecord[] {
  const file = layout.mapping.path;
  const about = [file, String(bad.row), bad.column, CODE, bad.detail].map(oneLine).join('\t');
  const records: ProducedRecord[] = [];
  for (let at = 0; at === 0 || at < bad.text.length; at += LONGEST_TEXT_CHARACTERS) {
    records.push({
      key: file,
      value: `${about}\t${oneLine(bad.text.slice(at, at + LONGEST_TEXT_CHARACTERS))}`,
      headers: {
        'error-code': CODE,
        'error-detail': oneLine(bad.detail),
        'source-file': file,
        'source-row': String(bad.row),
        'source-column': bad.column,
      },
    });
  }
  return records;
}

const CODE = 'malformed-source-data';

/** Line breaks and other control characters but the tab would make two lines of one. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what must not stay
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, (character) => JSON.stringify(character).slice(1, -1));
}
