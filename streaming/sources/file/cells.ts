import { parse } from 'csv-parse/sync';

/**
 * Splits a line at its delimiters. A quote within a quoted cell is written twice; outside of one it is refused, as it is more likely
 * that one is missing than that it is meant. A carriage return is a character like others: a record is a line.
 *
 * @param text a line without its line feed
 * @param dialect `quote` may be empty: then nothing is quoted
 * @returns undefined when its quotes do not match up
 */
export function splitCells(
  text: string,
  { delimiter, quote }: { readonly delimiter: string; readonly quote: string },
): string[] | undefined {
  if (quote === '' || !text.includes(quote)) return text.split(delimiter);
  try {
    const [cells] = parse(text, {
      ...{ delimiter, quote, escape: quote, record_delimiter: '\n' },
      ...{ relax_column_count: true, max_record_size: 0 },
    });
    return cells;
  } catch {
    return undefined;
  }
}
