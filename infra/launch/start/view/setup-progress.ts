import colors from 'picocolors';
import { shown } from '../../../../grid/figures.ts';
import type { Screen } from '../../../../runtime/terminal/screen.ts';

const NAME_WIDTH = 10;
/** Where nothing can be drawn in place, a phase that goes on is told of again after this time. */
const REPEAT_MS = 10_000;

/** What each server and download is busy with: in place on a terminal, else a line when something else begins. */
export class SetupProgress {
  readonly #screen: Screen;
  readonly #texts = new Map<string, string>();
  readonly #printed = new Map<string, { phase: string; atMs: number }>();
  #isShown = true;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  readonly show = (name: string, text: string): void => {
    if (this.#texts.get(name) === text) return;
    this.#texts.set(name, text);
    if (!this.#isShown) return;
    if (this.#screen.isLive) this.#draw();
    else this.#printChange(name, text);
  };

  /** It is done with: prints what came of it. */
  readonly finish = (name: string, result: string): void => {
    this.#texts.delete(name);
    this.#screen.print(`  ${name.padEnd(NAME_WIDTH)}${result}`);
    if (this.#isShown && this.#screen.isLive) this.#draw();
  };

  /** It is of no interest any more. */
  drop(name: string): void {
    this.#texts.delete(name);
  }

  /** What is still going on, in one line each. */
  get texts(): string[] {
    return [...this.#texts].map(([name, text]) => `${name}: ${text}`);
  }

  /** Draws no more; the screen is somebody else's now. */
  hide(): void {
    this.#isShown = false;
    this.#screen.clear();
  }

  #draw(): void {
    this.#screen.draw(
      [...this.#texts].map(([name, text]) => `  ${name.padEnd(NAME_WIDTH)}${colors.dim(shown(text, 400))}`),
    );
  }

  #printChange(name: string, text: string): void {
    // Figures change all the time; a phase is what remains without them.
    const phase = text.replace(/[\d.,]+/g, '#').replace(/, # s$/, '');
    const last = this.#printed.get(name);
    const now = Date.now();
    if (last !== undefined && last.phase === phase && now - last.atMs < REPEAT_MS) return;
    this.#printed.set(name, { phase, atMs: now });
    this.#screen.print(`  ${name.padEnd(NAME_WIDTH)}${shown(text, 400)}`);
  }
}
