import { GridError } from '../../grid/errors.ts';

/** What a row's column holds; decimals are text, so that no digit is lost. */
export type Cell = string | number | boolean | null;
export type Row = Readonly<Record<string, Cell>>;

/** Rows of an answer, and what is said of them as a whole. */
export interface Rows {
  /** Name of the list in a JSON answer. */
  readonly name: string;
  readonly columns: readonly string[];
  /** Beside the list in a JSON answer. */
  readonly head: Readonly<Record<string, unknown>>;
  readonly page: readonly Row[];
  /** Where the next page begins; undefined behind the last row. */
  readonly next: string | undefined;
  /** The page behind a cursor, for answers that are sent whole. */
  readonly following: ((cursor: string) => Promise<Pick<Rows, 'page' | 'next'>>) | undefined;
}

export const FORMATS = ['json', 'csv', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

export const MEDIA_TYPES: Readonly<Record<Format, string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
};
const BY_MEDIA_TYPE: ReadonlyMap<string, Format> = new Map([
  ['application/json', 'json'],
  ['text/csv', 'csv'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['*/*', 'json'],
  ['application/*', 'json'],
  ['text/*', 'csv'],
]);
/** An answer that is sent whole ends here: who wants more asks for parts. */
const MOST_ROWS = 1_000_000;
const MOST_ACCEPTED = 20;

/**
 * The format that a request asks for: its parameter, else the first of its Accept header that is known, else JSON.
 *
 * @throws GridError `malformed-request` when it accepts none of them
 */
export function formatOf(parameter: Format | undefined, accept: string | undefined): Format {
  if (parameter !== undefined) return parameter;
  if (accept === undefined || accept.trim() === '') return 'json';
  const asked = accept
    .split(',')
    .slice(0, MOST_ACCEPTED)
    .map((part) => {
      const [type = '', ...rest] = part.split(';').map((word) => word.trim().toLowerCase());
      const quality = rest.find((word) => word.startsWith('q='))?.slice(2) ?? '1';
      return { format: BY_MEDIA_TYPE.get(type), quality: Number(quality) };
    })
    .filter(({ format, quality }) => format !== undefined && quality > 0)
    .sort((a, b) => b.quality - a.quality);
  const format = asked[0]?.format;
  // Browsers and programs that ask for HTML get what there is.
  return format ?? 'json';
}

/** A page as JSON. */
export function asJson({ name, head, page, next }: Rows): string {
  return JSON.stringify({ ...head, [name]: page, next: next ?? null });
}

/** All rows from a page on, as text in parts: one page is held at a time. */
export async function* asText(rows: Rows, format: 'csv' | 'ndjson', isWhole: boolean): AsyncGenerator<string> {
  const line = format === 'csv' ? (row: Row) => csvLine(rows.columns, row) : (row: Row) => `${JSON.stringify(row)}\n`;
  if (format === 'csv') yield `${rows.columns.join(',')}\r\n`;
  let { page, next } = rows;
  let sent = 0;
  for (;;) {
    if (page.length > 0) yield page.map(line).join('');
    sent += page.length;
    if (!isWhole || next === undefined || rows.following === undefined) return;
    if (sent >= MOST_ROWS) {
      throw new GridError(
        'request-too-large',
        `Sending the rows: there are more than ${MOST_ROWS}. Ask for a shorter time.`,
      );
    }
    ({ page, next } = await rows.following(next));
  }
}

function csvLine(columns: readonly string[], row: Row): string {
  return `${columns.map((column) => csvCell(row[column] ?? null)).join(',')}\r\n`;
}

/** RFC 4180. What a spreadsheet would take for a formula is kept from it by an apostrophe: ids and units are other people's text. */
function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const isNumber = /^-?\d/.test(cell);
  const safe = !isNumber && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
