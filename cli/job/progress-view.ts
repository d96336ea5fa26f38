import { Screen, type TerminalStream } from '../../runtime/terminal/screen.ts';

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

/** On a terminal the lines are drawn over and over, elsewhere they are written one after the other. */
export function progressView(stream: TerminalStream): ProgressView {
  const screen = new Screen(stream);
  return screen.isLive ? new ScreenView(screen) : new LogView(stream);
}

class ScreenView implements ProgressView {
  readonly #screen: Screen;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  show(lines: readonly string[]): void {
    this.#screen.draw(lines);
  }

  say(text: string): void {
    this.#screen.print(text);
  }

  end(): void {
    this.#screen.clear();
  }
}

class LogView implements ProgressView {
  readonly #stream: TerminalStream;
  #lastMs = Number.NEGATIVE_INFINITY;
  #last = '';

  constructor(stream: TerminalStream) {
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
