import { parse } from 'csv-parse/sync';
import { basename, join } from 'node:path';
import { GridError } from '../../../grid/errors.ts';
import { readLines, type Line } from './lines.ts';
import { matchesAny, type FileMapping } from './mapping.ts';

/** One wide column that is a sensor. */
export interface SeriesColumn {
  readonly index: number;
  readonly column: string;
  readonly sensorId: string;
  readonly unit: string;
}

/** What a mapping means for the header that a file really has. */
export interface TableLayout {
  readonly mapping: FileMapping;
  readonly path: string;
  readonly header: readonly string[];
  /** The header line as it stands in the file. */
  readonly headerText: string;
  /** Where the data begins. */
  readonly dataStart: { readonly byte: number; readonly row: number };
  readonly timeColumns: readonly number[];
  readonly columns:
    | { readonly layout: 'wide'; readonly series: readonly SeriesColumn[] }
    | { readonly layout: 'long'; readonly sensor: number; readonly value: number; readonly unit: number | undefined };
}

/** Splits a line at its delimiters; undefined when its quotes do not match up. */
export function splitCells(
  text: string,
  { delimiter, quote }: { delimiter: string; quote: string },
): string[] | undefined {
  if (quote === '' || !text.includes(quote)) return text.split(delimiter);
  try {
    return parse(text, { delimiter, quote, relax_column_count: true, max_record_size: 0 })[0];
  } catch {
    return undefined;
  }
}

/**
 * Reads the header of a file and finds the mapping's columns in it.
 *
 * @throws GridError `source-unavailable` when the file cannot be read, `invalid-configuration` when its header does not fit the mapping.
 */
export async function readLayout(directory: string, mapping: FileMapping): Promise<TableLayout> {
  const path = join(directory, mapping.path);
  const line = await headerLine(path, mapping);
  const fail = (fault: string): GridError =>
    new GridError(
      'invalid-configuration',
      `Opening ${path}: ${fault}. Its header line (line ${mapping.skipLines + 1}) is ${JSON.stringify(line?.text.slice(0, 300) ?? '')}; correct the mapping (delimiter, column names, skipLines) or the file.`,
    );
  if (line === undefined) throw fail('it has no header line');
  const headerText = line.text.replace(/^\uFEFF/, '');
  const header = splitCells(headerText, mapping)?.map((name) => name.trim());
  if (header === undefined) throw fail('the quotes of its header line do not match up');
  const columnOf = (name: string): number => {
    const index = header.indexOf(name);
    if (index < 0) throw fail(`there is no column ${JSON.stringify(name)}`);
    return index;
  };

  const timeColumns = [mapping.time.column].flat().map(columnOf);
  const base = { mapping, path, header, headerText, dataStart: { byte: line.endByte, row: line.nextRow }, timeColumns };
  if (mapping.layout === 'long') {
    return {
      ...base,
      columns: {
        layout: 'long',
        sensor: columnOf(mapping.sensorColumn),
        value: columnOf(mapping.valueColumn),
        unit: mapping.unitColumn === undefined ? undefined : columnOf(mapping.unitColumn),
      },
    };
  }
  const series = header
    .map((column, index): SeriesColumn => ({
      index,
      column,
      sensorId: fillTemplate(mapping.id, { column, file: stem(path) }),
      unit: Object.entries(mapping.units).find(([glob]) => matchesAny(column, [glob]))?.[1] ?? mapping.unit,
    }))
    .filter(
      ({ column, index }) =>
        !timeColumns.includes(index) && matchesAny(column, mapping.include) && !matchesAny(column, mapping.exclude),
    );
  if (series.length === 0) throw fail('no column is left by include and exclude');
  const seen = new Map<string, string>();
  for (const { sensorId, column } of series) {
    const other = seen.get(sensorId);
    if (other !== undefined)
      throw fail(`columns ${JSON.stringify(other)} and ${JSON.stringify(column)} would both be the sensor ${sensorId}`);
    if (!isSensorId(sensorId))
      throw fail(`${JSON.stringify(sensorId)}, made of column ${JSON.stringify(column)}, cannot be a sensor id`);
    seen.set(sensorId, column);
  }
  return { ...base, columns: { layout: 'wide', series } };
}

/** Whether the envelope takes a text as a sensor id: 1 to 128 printable characters, no white space around them. */
export function isSensorId(text: string): boolean {
  return text.length > 0 && text.length <= 128 && text.trim() === text && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text);
}

/** `{name}` replaced by the value of that name. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** A file's name without folders and extensions. */
export function stem(path: string): string {
  return basename(path).replace(/(?:\.\w+)+$/, '');
}

async function headerLine(path: string, mapping: FileMapping): Promise<Line | undefined> {
  const start = { byte: 0, row: 1 };
  for await (const { lines } of readLines({ path, encoding: mapping.encoding, start })) {
    const line = lines.find(({ row }) => row === mapping.skipLines + 1);
    if (line !== undefined) return line;
  }
  return undefined;
}
