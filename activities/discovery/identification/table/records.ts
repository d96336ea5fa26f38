/** How the cells of a line are told apart. */
export interface Separation {
  /** One character; a space stands for any run of white space. */
  readonly delimiter: string;
  readonly quote: '"' | "'" | undefined;
}

/** More columns than this are not told apart: a line of a megabyte of commas is no table. */
export const MOST_COLUMNS = 20_000;
/** A cell in quotes goes on over so many lines at most; more, and the quote was none. */
const MOST_LINES_OF_A_RECORD = 50;

/** The cells of a line; undefined: a cell in quotes goes on in the next line. */
export function splitRecord(line: string, { delimiter, quote }: Separation): string[] | undefined {
  if (delimiter === ' ') return line.trim().split(/[ \t]+/, MOST_COLUMNS);
  if (quote === undefined || !line.includes(quote)) return line.split(delimiter, MOST_COLUMNS);
  const cells: string[] = [];
  for (let at = 0; cells.length < MOST_COLUMNS;) {
    let start = at;
    while (line[start] === ' ') start++;
    if (line[start] !== quote) {
      const end = line.indexOf(delimiter, at);
      cells.push(end < 0 ? line.slice(at) : line.slice(at, end));
      if (end < 0) return cells;
      at = end + 1;
      continue;
    }
    let cell = '';
    let from = start + 1;
    for (;;) {
      const end = line.indexOf(quote, from);
      if (end < 0) return undefined;
      cell += line.slice(from, end);
      if (line[end + 1] === quote) {
        cell += quote;
        from = end + 2;
        continue;
      }
      const next = line.indexOf(delimiter, end + 1);
      // What stands between the closing quote and the delimiter belongs to the cell, whoever wrote it.
      cells.push(cell + (next < 0 ? line.slice(end + 1) : line.slice(end + 1, next)).trimEnd());
      if (next < 0) return cells;
      at = next + 1;
      break;
    }
  }
  return cells;
}

/** Puts records together that go over lines, one line after the other. */
export class RecordReader {
  readonly #separation: Separation;
  #open: string[] = [];

  constructor(separation: Separation) {
    this.#separation = separation;
  }

  /** @returns the records that end with this line */
  take(line: string): readonly (readonly string[])[] {
    if (this.#open.length === 0) {
      const cells = splitRecord(line, this.#separation);
      if (cells !== undefined) return [cells];
      this.#open.push(line);
      return [];
    }
    this.#open.push(line);
    // Only a line with a quote can end it.
    if (this.#separation.quote !== undefined && line.includes(this.#separation.quote)) {
      const cells = splitRecord(this.#open.join('\n'), this.#separation);
      if (cells !== undefined) {
        this.#open = [];
        return [cells];
      }
    }
    return this.#open.length >= MOST_LINES_OF_A_RECORD ? this.end() : [];
  }

  /** What is still open, a line a record. */
  end(): readonly (readonly string[])[] {
    const lines = this.#open;
    this.#open = [];
    return lines.map((line) => splitRecord(line, { ...this.#separation, quote: undefined }) ?? []);
  }
}
