import { stripVTControlCharacters } from 'node:util';

const ESCAPE = '\x1b';
const COLOUR = new RegExp(`${ESCAPE}\\[[\\d;]*m`, 'y');
const COLOUR_OFF = '\x1b[0m';
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** What a screen needs of a stream; `process.stdout` and `process.stderr` have it. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  /** Characters of a line. */
  readonly columns?: number;
  /** Lines that are seen. */
  readonly rows?: number;
  write(text: string): boolean;
  on?(event: 'error' | 'resize', listener: () => void): unknown;
}

/**
 * An output with, on a terminal, a region at its end that is drawn again in place; what is printed stands above it. Where
 * it is no terminal there is no such region.
 */
export class Screen {
  readonly #stream: TerminalStream;
  /** Visible length of each line of the region as it stands there. */
  #drawn: number[] = [];
  #lines: readonly string[] = [];
  #closed = false;

  /** @param onClosed told when nobody reads the output any more. */
  constructor(stream: TerminalStream, onClosed: () => void = () => undefined) {
    this.#stream = stream;
    stream.on?.('error', () => {
      this.#closed = true;
      onClosed();
    });
    stream.on?.('resize', () => {
      this.draw(this.#lines);
    });
  }

  /** Whether lines can be drawn in place. */
  get isLive(): boolean {
    return this.#stream.isTTY === true && process.env['TERM'] !== 'dumb';
  }

  get columns(): number {
    const { columns = 0 } = this.#stream;
    return this.isLive && columns > 0 ? columns : DEFAULT_COLUMNS;
  }

  /** Prints lines that stay. */
  print(text: string): void {
    const lines = this.#lines;
    this.#write(`${this.#erasing()}${text}\n`);
    this.draw(lines);
  }

  /** Draws the region; lines are cut to the terminal's width, and to its height. */
  draw(lines: readonly string[]): void {
    if (!this.isLive) return;
    const { rows: height = 0 } = this.#stream;
    const rows = height > 0 ? height : DEFAULT_ROWS;
    const fitting = lines.slice(0, Math.max(1, rows - 1)).map((line) => fitLine(line, this.columns - 1));
    const up = this.#up();
    // Overwritten rather than erased first, so that it does not flicker.
    this.#write(`${up}${fitting.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
    this.#lines = lines;
    this.#drawn = fitting.map((line) => stripVTControlCharacters(line).length);
  }

  /** Removes the region. */
  clear(): void {
    this.#write(this.#erasing());
  }

  #erasing(): string {
    const erase = this.#drawn.length === 0 ? '' : `${this.#up()}\x1b[J`;
    this.#drawn = [];
    this.#lines = [];
    return erase;
  }

  /** Back to the region's first line. A terminal that became narrower has wrapped the lines meanwhile. */
  #up(): string {
    const rows = this.#drawn.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / this.columns)), 0);
    return rows === 0 ? '' : `\r\x1b[${rows}A`;
  }

  #write(text: string): void {
    if (!this.#closed && text !== '') this.#stream.write(text);
  }
}

/** The line cut to so many visible characters; colours take none. */
export function fitLine(line: string, width: number): string {
  let visible = 0;
  let index = 0;
  let isColoured = false;
  while (index < line.length) {
    COLOUR.lastIndex = index;
    const colour = COLOUR.exec(line);
    if (colour !== null) {
      isColoured = true;
      index += colour[0].length;
      continue;
    }
    if (visible === width) return `${line.slice(0, index)}${isColoured ? COLOUR_OFF : ''}`;
    visible++;
    index += (line.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  }
  return line;
}
