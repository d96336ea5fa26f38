/** Where a job's progress is shown. */
export interface ProgressView {
  /** The present state; what was shown before goes where that can be. */
  show(lines: readonly string[]): void;
  /** A sentence that stays. */
  say(text: string): void;
  /** Lets go of the screen. */
  end(): void;
}

/** Without a terminal: a line of the whole every so often, and only when something has changed. */
const LINE_EVERY_MS = 5_000;

interface Stream {
  readonly isTTY?: boolean;
  /** Characters of a line. */
  readonly columns?: number;
  write(text: string): boolean;
}

/** On a terminal the lines are drawn over and over, elsewhere they are written one after the other. */
export function progressView(stream: Stream): ProgressView {
  return stream.isTTY === true ? new ScreenView(stream) : new LogView(stream);
}

class ScreenView implements ProgressView {
  readonly #stream: Stream;
  #drawn: readonly string[] = [];

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  show(lines: readonly string[]): void {
    const width = (this.#stream.columns ?? 80) - 1;
    const fitting = lines.map((line) => (line.length > width ? `${line.slice(0, width - 1)}…` : line));
    this.#stream.write(`${this.#erasure()}${fitting.map((line) => `${line}\n`).join('')}`);
    this.#drawn = fitting;
  }

  say(text: string): void {
    const lines = this.#drawn;
    this.#stream.write(`${this.#erasure()}${text}\n`);
    this.#drawn = [];
    this.show(lines);
  }

  end(): void {
    this.#stream.write(this.#erasure());
    this.#drawn = [];
  }

  /** Cursor up over what was drawn, then clear to the screen's end (ECMA-48 CPL and ED). */
  #erasure(): string {
    return this.#drawn.length === 0 ? '' : `\u001b[${this.#drawn.length}F\u001b[0J`;
  }
}

class LogView implements ProgressView {
  readonly #stream: Stream;
  #lastMs = Number.NEGATIVE_INFINITY;
  #last = '';

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  show(lines: readonly string[]): void {
    const [line = ''] = lines;
    const nowMs = performance.now();
    if (line === '' || line === this.#last || nowMs - this.#lastMs < LINE_EVERY_MS) return;
    this.#lastMs = nowMs;
    this.#last = line;
    this.#stream.write(`${line}\n`);
  }

  say(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  end(): void {
    // Nothing is held.
  }
}
