import { closeSync, openSync, writeSync } from 'node:fs';

/** What may still be written for a file beside members of archives, bytes; shared by all its outputs. */
export interface OutputBudget {
  leftBytes: number;
}

const FLUSH_BYTES = 256 << 10;

/** A file that is written piece by piece; a process that looks at one file at a time needs no more than plain writes. */
export class OutputFile {
  readonly path: string;
  readonly #budget: OutputBudget;
  readonly #descriptor: number;
  #pieces: string[] = [];
  #bytes = 0;
  /** The budget was used up; what came later is left out. */
  isTruncated = false;

  constructor(path: string, budget: OutputBudget) {
    this.path = path;
    this.#budget = budget;
    this.#descriptor = openSync(path, 'wx', 0o600);
  }

  write(text: string): void {
    if (this.isTruncated) return;
    // Of three bytes of UTF-8 for each unit, at most.
    this.#pieces.push(text);
    this.#bytes += text.length;
    if (this.#bytes >= FLUSH_BYTES) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#descriptor);
  }

  #flush(): void {
    if (this.#pieces.length === 0) return;
    const bytes = Buffer.from(this.#pieces.join(''));
    this.#pieces = [];
    this.#bytes = 0;
    if (bytes.length > this.#budget.leftBytes) {
      this.isTruncated = true;
      return;
    }
    this.#budget.leftBytes -= bytes.length;
    for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
  }
}
