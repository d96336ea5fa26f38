import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { floatText, type HivePage } from '../../connectors/hive/hive.ts';
import { shortened } from '../../grid/figures.ts';
import type { AnswerColumn, Format } from '../../workflows/query/contract.ts';

/** HDFS takes chunks of this size cheaply. */
const CHUNK_BYTES = 256 << 10;
const FIRST_ROWS = 20;
const FIRST_ROW_COLUMNS = 100;
const MOST_FIELD = 200;
/** All first rows together, as JSON: they lie in the workflow's history. */
const MOST_FIRST_BYTES = 128 << 10;

export interface WrittenRows {
  readonly columns: readonly AnswerColumn[];
  readonly rows: number;
  readonly isCut: boolean;
  readonly bytes: number;
  readonly firstRows: (string | null)[][];
}

/**
 * Writes pages of rows into a new file of HDFS as they come; the next page is asked for only once HDFS has taken what came before. On a
 * failure the file is given up where it is.
 */
export async function writeRows(
  hdfs: HdfsClient,
  path: string,
  pages: AsyncIterable<HivePage>,
  { format, maxRows }: { readonly format: Format; readonly maxRows: number },
): Promise<WrittenRows> {
  const writer = await hdfs.create(path, { createParent: true, overwrite: true });
  let columns: readonly AnswerColumn[] = [];
  let rows = 0;
  let isCut = false;
  const first = new FirstRows();
  let lines: string[] = [];
  let characters = 0;
  const flush = async (): Promise<void> => {
    if (lines.length === 0) return;
    const chunk = Buffer.from(lines.join(''));
    lines = [];
    characters = 0;
    await writer.write(chunk);
  };
  try {
    let write: ((row: HivePage['rows'][number]) => string) | undefined;
    for await (const page of pages) {
      if (write === undefined) {
        columns = plainNames(page.columns);
        write = format === 'tsv' ? tsvLine : jsonLine(columns);
      }
      const floats = floatColumns(page.columns);
      for (const row of page.rows) {
        if (rows === maxRows) {
          isCut = true;
          break;
        }
        for (const index of floats) row[index] = row[index] == null ? null : floatText(row[index]);
        first.take(row);
        const line = write(row);
        lines.push(line);
        rows++;
        characters += line.length;
        if (characters >= CHUNK_BYTES) await flush();
      }
      if (isCut) break;
    }
    await flush();
    const { lengthBytes } = await writer.close();
    return { columns, rows, isCut, bytes: lengthBytes, firstRows: first.rows };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** The first rows, few and short enough to be told. */
class FirstRows {
  readonly rows: (string | null)[][] = [];
  #bytes = 0;
  #isFull = false;

  take(row: HivePage['rows'][number]): void {
    if (this.#isFull) return;
    const cut = row.slice(0, FIRST_ROW_COLUMNS).map((field) => field && shortened(field, MOST_FIELD).toWellFormed());
    this.#bytes += Buffer.byteLength(JSON.stringify(cut));
    this.#isFull = this.#bytes > MOST_FIRST_BYTES || this.rows.length === FIRST_ROWS - 1;
    if (this.#bytes <= MOST_FIRST_BYTES) this.rows.push(cut);
  }
}

/** Without the table that Hive writes before a name, where names are told apart without it; names that come twice get a number. */
export function plainNames(columns: readonly AnswerColumn[]): readonly AnswerColumn[] {
  const short = columns.map(({ name }) => name.replace(/^\w+\.(?=.)/, ''));
  const names = new Set(short).size === short.length ? short : columns.map(({ name }) => name);
  const seen = new Map<string, number>();
  return columns.map(({ type }, index) => {
    const name = names[index] ?? '';
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return { name: times === 1 ? name : `${name}_${times}`, type };
  });
}

function floatColumns(columns: readonly AnswerColumn[]): readonly number[] {
  return columns.flatMap(({ type }, index) => (type === 'float' || type === 'double' ? [index] : []));
}

const TSV_ESCAPED = /[\\\t\n\r]/g;
const TSV_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\r', '\\r'],
]);

/** NULL is `\N`, an empty text is nothing; TAB, line ends and backslashes are escaped. */
export function tsvLine(row: HivePage['rows'][number]): string {
  let line = '';
  for (let index = 0; index < row.length; index++) {
    if (index > 0) line += '\t';
    const field = row[index];
    if (field === null || field === undefined) line += '\\N';
    else line += field.replace(TSV_ESCAPED, (character) => TSV_ESCAPES.get(character) ?? '');
  }
  return `${line}\n`;
}

/** Numbers in their exact text, but for NaN and the infinities; all else as texts, those of `array`, `map` and `struct` in Hive's JSON. */
export function jsonLine(columns: readonly AnswerColumn[]): (row: HivePage['rows'][number]) => string {
  const names = columns.map(({ name }, index) => `${index === 0 ? '' : ','}${JSON.stringify(name)}:`);
  const isPlain = columns.map(({ type }) => /^(?:tinyint|smallint|int|bigint|decimal|float|double|boolean)/.test(type));
  return (row) => {
    let line = '{';
    for (let index = 0; index < row.length; index++) {
      const field = row[index];
      line += names[index] ?? '';
      if (field === null || field === undefined) line += 'null';
      else line += isPlain[index] === true && /^(?:-?\d|[tf])/.test(field) ? field : JSON.stringify(field);
    }
    return `${line}}\n`;
  };
}
