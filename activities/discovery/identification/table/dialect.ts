import { cellType, isNumeric, type CellType } from '../text/cell-types.ts';
import type { TextSample } from '../text/sample.ts';
import { RecordReader, type Separation } from './records.ts';

export interface Column {
  /** As the header names it, without its unit; empty: there is no header. */
  readonly name: string;
  /** What stands in brackets in its name, or in a row of units below it. */
  readonly unit: string;
  /** What most of its cells hold. */
  readonly type: CellType;
}

/** A table of delimited text, and where in the file it stands. */
export interface Dialect extends Separation {
  readonly decimal: '.' | ',';
  /** Lines before the header: comments, a preamble. */
  readonly preambleLines: number;
  readonly headerRows: number;
  /** Records of the sample after the table, as totals. */
  readonly footerRows: number;
  readonly columns: readonly Column[];
  /** 0 to 1: how much it is a table. */
  readonly score: number;
}

export interface FoundTable {
  readonly dialect: Dialect;
  readonly preamble: readonly string[];
  /** Cells of the sample's data rows. */
  readonly rows: readonly (readonly string[])[];
}

const DELIMITERS = [';', ',', '\t', '|', ':', '^', '~', '\u001f', '\u0001', '¦', '§', '#', '/', '*', ' '] as const;
/** Those that seldom tell cells apart. */
const RARE = new Set([':', '^', '~', '\u001f', '\u0001', '¦', '§', '#', '/', '*', ' ']);
const MOST_SAMPLE_LINES = 400;
const LEAST_ROWS = 2;
/** Less than this and it is no table. */
const LEAST_SCORE = 0.5;

/** What each type of cell says for a delimiter that cuts out such cells. */
const TYPE_SCORES: Readonly<Record<CellType, number>> = {
  empty: 0.75,
  integer: 1,
  decimal: 1,
  'decimal-comma': 1,
  time: 1,
  word: 0.8,
  text: 0.35,
};

interface Row {
  readonly cells: readonly string[];
  readonly types: readonly CellType[];
  /** Line at which it begins. */
  readonly line: number;
}

/**
 * The dialect under which lines become a table best: rows of the same width, and cells that are numbers, times and words rather than
 * pieces of something else.
 */
export function findTable(sample: TextSample): FoundTable | undefined {
  const lines = sample.lines.slice(0, MOST_SAMPLE_LINES);
  if (lines.length < LEAST_ROWS) return undefined;
  let best: FoundTable | undefined;
  const joined = lines.join('\n');
  for (const delimiter of DELIMITERS) {
    if (!joined.includes(delimiter)) continue;
    for (const quote of quotesFor(joined, delimiter)) {
      const found = tableUnder(lines, { delimiter, quote });
      if (found !== undefined && found.dialect.score > (best?.dialect.score ?? LEAST_SCORE)) best = found;
    }
  }
  return best;
}

/** Quotes open cells only at their beginning: an apostrophe within words opens none. */
function quotesFor(text: string, delimiter: string): readonly Separation['quote'][] {
  if (delimiter === ' ') return [undefined];
  const opens = (quote: string): boolean =>
    text.startsWith(quote) || text.includes(`${delimiter}${quote}`) || text.includes(`\n${quote}`);
  const quotes: Separation['quote'][] = [];
  if (opens('"')) quotes.push('"');
  if (opens("'")) quotes.push("'");
  return quotes.length === 0 ? [undefined] : quotes;
}

function tableUnder(lines: readonly string[], separation: Separation): FoundTable | undefined {
  const rows = rowsUnder(lines, separation);
  const width = usualWidth(rows);
  if (width < 2) return undefined;
  const first = rows.findIndex(({ cells }) => cells.length === width);
  let last = rows.length - 1;
  while (last > first && rows[last]?.cells.length !== width) last--;
  let block = rows.slice(first, last + 1);
  const fitting = block.filter(({ cells }) => cells.length === width);
  if (fitting.length < LEAST_ROWS) return undefined;
  // Padding of a preamble: rows of the right width that are nearly empty.
  const filled = (row: Row): number => row.types.filter((type) => type !== 'empty').length;
  const usualFill = median(fitting.map(filled));
  let start = 0;
  while (
    start < block.length - LEAST_ROWS &&
    filled(block[start] ?? fitting[0] ?? { cells: [], types: [], line: 0 }) < usualFill / 2
  )
    start++;
  // A comment may have as many commas as the table; the last one before data is its header.
  while (start < block.length - LEAST_ROWS && isComment(block[start]) && !isData(block[start + 1])) start++;
  block = block.slice(start);
  const body = block.filter(({ cells }) => cells.length === width);
  const types = columnTypes(body, width);
  const headerRows = countHeaderRows(body, types);
  const data = body.slice(headerRows);
  if (data.length < 1) return undefined;
  const footer = countFooterRows(data, types);
  const kept = data.slice(0, data.length - footer);
  if (kept.length === 0) return undefined;

  const consistency = body.length / block.length;
  // What stands around a table weighs less the longer the table is.
  const outside = rows.length - block.length;
  const share = block.length / (block.length + outside * (separation.delimiter === ' ' ? 1 : 0.3));
  let sum = 0;
  for (const row of kept) for (const type of row.types) sum += TYPE_SCORES[type];
  const typeScore = sum / (kept.length * width);
  const widthScore = 1 - 0.35 / width;
  const plenty = kept.length >= 4 ? 1 : 0.85;
  const rare = RARE.has(separation.delimiter) ? 0.82 : 1;
  const typed = types.filter((type) => isNumeric(type) || type === 'time').length > 0 ? 1 : 0.88;
  const score = consistency ** 2 * share * typeScore * widthScore * plenty * rare * typed;
  return {
    dialect: {
      ...separation,
      decimal:
        types.includes('decimal-comma') ||
        (separation.delimiter !== ',' && countOf(kept, 'decimal-comma') > countOf(kept, 'decimal'))
          ? ','
          : '.',
      preambleLines: body[0]?.line ?? 0,
      headerRows,
      footerRows: footer + (rows.length - 1 - last),
      columns: columnsOf(body.slice(0, headerRows), types),
      score,
    },
    preamble: lines.slice(0, body[0]?.line ?? 0),
    rows: kept.map(({ cells }) => cells),
  };
}

function rowsUnder(lines: readonly string[], separation: Separation): readonly Row[] {
  const reader = new RecordReader(separation);
  const rows: Row[] = [];
  let begins = 0;
  const take = (records: readonly (readonly string[])[], next: number): void => {
    for (const cells of records) {
      // Blank lines are no rows.
      if (cells.length > 1 || (cells[0] ?? '').trim() !== '')
        rows.push({ cells, types: cells.map(cellType), line: begins });
      begins = next;
    }
  };
  for (const [index, line] of lines.entries()) take(reader.take(line), index + 1);
  take(reader.end(), lines.length);
  return rows;
}

const isComment = (row: Row | undefined): boolean => /^\s*(?:#|%|\/\/|!|\*)/.test(row?.cells[0] ?? '');
const isData = (row: Row | undefined): boolean =>
  row?.types.some((type) => isNumeric(type) || type === 'time') === true && !isComment(row);

/** The width that most rows have; of two that are as frequent, the greater. */
function usualWidth(rows: readonly Row[]): number {
  const counts = new Map<number, number>();
  for (const { cells } of rows) counts.set(cells.length, (counts.get(cells.length) ?? 0) + 1);
  let [best, most] = [0, 0];
  for (const [width, count] of counts)
    if (width > 1 && (count > most || (count === most && width > best))) [best, most] = [width, count];
  return best;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? 0;
}

function countOf(rows: readonly Row[], type: CellType): number {
  let count = 0;
  for (const { types } of rows) for (const each of types) if (each === type) count++;
  return count;
}

/** What most cells of a column hold, the empty ones aside. Integers among decimals are decimals. */
function columnTypes(rows: readonly Row[], width: number): readonly CellType[] {
  return Array.from({ length: width }, (_, column) => {
    const counts = new Map<CellType, number>();
    for (const { types } of rows) {
      const type = types[column] ?? 'empty';
      if (type !== 'empty') counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    const integers = counts.get('integer') ?? 0;
    for (const type of ['decimal', 'decimal-comma'] as const) {
      const count = counts.get(type) ?? 0;
      if (count > 0 && count >= integers / 50) counts.set(type, count + integers);
    }
    const [most] = [...counts].sort(([, one], [, other]) => other - one);
    return most?.[0] ?? 'empty';
  });
}

/** Rows at the top whose cells are no numbers or times where all below are. */
function countHeaderRows(body: readonly Row[], types: readonly CellType[]): number {
  const typed = types.flatMap((type, column) => (isNumeric(type) || type === 'time' ? [column] : []));
  if (typed.length === 0) {
    // Of words alone, a first row whose cells occur nowhere else is the header.
    const first = body[0]?.cells ?? [];
    const isUnlike = first.every(
      (cell, column) => cell.trim() !== '' && body.slice(1).every(({ cells }) => cells[column] !== cell),
    );
    return body.length > 2 && isUnlike && new Set(first).size === first.length ? 1 : 0;
  }
  let rows = 0;
  for (const { types: found, cells } of body.slice(0, 4)) {
    const strange = typed.filter((column) => {
      const type = found[column] ?? 'empty';
      return type === 'word' || type === 'text' || (rows > 0 && type === 'empty');
    }).length;
    // Years and numbers as names of columns: the first row, if the name of the time column is one.
    if (strange < Math.max(1, typed.length * (rows === 0 ? 0.5 : 0.7)) || cells.length === 0) break;
    rows++;
  }
  return rows;
}

const FOOTER =
  /^["' ]*(?:sum|summe|total|gesamt|mittel|mean|average|avg|min|max|minimum|maximum|ende|end|eof|rows?|zeilen|records?|anzahl|count)\b/i;

function countFooterRows(data: readonly Row[], types: readonly CellType[]): number {
  let rows = 0;
  for (let at = data.length - 1; at > 0 && rows < 10; at--, rows++) {
    const first = data[at]?.cells.find((cell) => cell.trim() !== '') ?? '';
    const isOdd = FOOTER.test(first) && (types[0] === 'time' || types[0] === 'integer' || types[0] === 'decimal');
    if (!isOdd) break;
  }
  return rows;
}

const UNIT_IN_NAME = /^([^[({<]{0,200})[[({<]([^\])}>]{1,20})[\])}>]$/;

function columnsOf(header: readonly Row[], types: readonly CellType[]): readonly Column[] {
  return types.map((type, column) => {
    const texts = header.map(({ cells }) => (cells[column] ?? '').trim()).filter((text) => text !== '');
    const [first = '', ...rest] = texts;
    const match = UNIT_IN_NAME.exec(first.trim());
    const name = (match?.[1] ?? first).replace(/^#\s*/, '').replace(/_$/, '').trim();
    const below = rest
      .map((text) => /^[[({<]?([^\])}>]{1,20})[\])}>]?$/.exec(text)?.[1])
      .find((text) => text !== undefined && isUnitText(text));
    return { name: name === '' ? (match?.[2] ?? '') : name, unit: match?.[2]?.trim() ?? below ?? '', type };
  });
}

const UNITS =
  /^(?:[kMGTmµuμn]?(?:W|Wh|VA|VAh|var|VAr|varh|V|A|Hz|Ω|Ohm|F|H|J|Pa|bar|S|C|K|m|g|s|l|Wp)|°[CF]|Grad|°|%|p\.?u\.?|deg|rad|rpm|min|h|d|m\/s|km\/h|m[²³23](?:\/[hs])?|W\/m[²2]|kWh\/m[²2]|hPa|mbar|ppm|dB|€|EUR|kvar|Mvar|kVAr|MVAr|kV|cos ?phi|-|1)$/;

/** Whether a text is a unit as the trade writes them. */
export const isUnitText = (text: string): boolean => UNITS.test(text);
