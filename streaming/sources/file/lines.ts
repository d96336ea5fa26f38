import { isUtf8 } from 'node:buffer';
import { stat } from 'node:fs/promises';
import { FINGERPRINT_BYTES, fingerprintOf, lastBytes, type Fingerprint } from './fingerprint.ts';
import { isCompressed, readBytes, readFailure } from './text-input.ts';

/** One line of a text file. */
export interface Line {
  /** Number of the line in the file, from 1. */
  readonly row: number;
  /** Number of the line in which reading goes on behind it: the same as `row` when its end has not been seen. */
  readonly nextRow: number;
  /** Where that is, in bytes of the text (after decompression). */
  readonly endByte: number;
  /** Without its line break. With `invalid-encoding` each byte is a Latin-1 character, so that none is lost. */
  readonly text: string;
  /**
   * `overlong`: a piece of a line that is longer than allowed; all pieces have the same `row`. `continued`: the rest of a line of which
   * the part before was taken earlier.
   */
  readonly problem?: 'invalid-encoding' | 'overlong' | 'continued';
}

/** Some lines that follow each other. */
export interface LineBlock {
  readonly lines: readonly Line[];
  /** Of the text before a place in this block. */
  fingerprintAt(byte: number): Fingerprint;
}

/** Where a text ended. */
export interface TextEnd {
  /** The line in which reading would go on, and where that is. */
  readonly row: number;
  readonly byte: number;
  /** Length of a last line that was held back, as it may not be written to its end; 0: there was none. */
  readonly heldBackBytes: number;
  fingerprint(): Fingerprint;
}

/**
 * Whether a last line without a line break is whole. `complete`: it is. `held`: it may still be written, so it is not given out. `settled`: it
 * is, once nobody has changed the file for a day. The end of a gzip stream ends its last line, whatever the rule.
 */
export type LastLineRule = 'settled' | 'complete' | 'held';

export interface LineOptions {
  readonly path: string;
  readonly encoding: 'utf-8' | 'latin1';
  /** Where to start, and which line stands there; the beginning by default. It may be within a line. */
  readonly start?: { readonly byte: number; readonly row: number };
  readonly maxLineBytes?: number;
  /** Default `complete`. */
  readonly lastLine?: LastLineRule;
  readonly now?: () => number;
  readonly signal?: AbortSignal;
}

const DEFAULT_MAX_LINE_BYTES = 4 << 20;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
/** Whoever writes a file line by line, even through a buffer, has written to it within this time. */
export const SETTLED_AFTER_MS = 86_400_000;

/**
 * The lines of a file, plain or gzip (by its name), a chunk's worth at a time, in constant memory. A record is a line: a stray quote
 * costs its own line, where a parser that lets quoted fields run over line ends would swallow all that follows.
 *
 * @returns where the text ended; undefined when `signal` ended it
 * @throws GridError `source-unavailable` when the file cannot be read, `malformed-source-data` when its gzip stream is broken;
 *   all complete lines before that place were given out.
 */
export async function* readLines(options: LineOptions): AsyncGenerator<LineBlock, TextEnd | undefined, void> {
  const maxLineBytes = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
  const start = options.start ?? { byte: 0, row: 1 };
  let position = start.byte;
  let row = start.row;
  /** Bytes before `position` that were read and not given out. */
  let rest: Buffer = Buffer.alloc(0);
  /** The last bytes before `position`. */
  let before: Buffer = Buffer.alloc(0);
  let toPass = Math.min(start.byte, FINGERPRINT_BYTES);
  /** What the line at `position` is, when it does not begin there. */
  let within: 'overlong' | 'continued' | undefined;
  const line = (bytes: Buffer, nextRow: number): Line => ({
    row,
    nextRow,
    endByte: position,
    ...decodeLine(bytes, options.encoding),
    ...(within === undefined ? {} : { problem: within }),
  });
  const block = (lines: readonly Line[], given: Buffer): LineBlock => {
    const bytes = Buffer.concat([before, given]);
    const end = position;
    before = lastBytes(bytes);
    return { lines, fingerprintAt: (byte) => fingerprintOf(bytes.subarray(0, bytes.length - (end - byte))) };
  };

  try {
    for await (const piece of readBytes(options.path, start.byte - toPass, options.signal)) {
      let chunk = piece;
      if (toPass > 0) {
        const passed = Math.min(toPass, chunk.length);
        toPass -= passed;
        before = Buffer.concat([before, chunk.subarray(0, passed)]);
        chunk = chunk.subarray(passed);
        if (toPass > 0) continue;
        if (before[before.length - 1] !== LINE_FEED) within = 'continued';
      }
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const lines: Line[] = [];
      let from = 0;
      for (let end = data.indexOf(LINE_FEED); end >= 0; end = data.indexOf(LINE_FEED, from)) {
        position += end + 1 - from;
        const next = line(withoutCarriageReturn(data.subarray(from, end)), row + 1);
        // A line that goes on with nothing lacked only its line break.
        if (within !== 'continued' || next.text !== '') lines.push(next);
        within = undefined;
        row += 1;
        from = end + 1;
      }
      rest = data.subarray(from);
      if (rest.length > maxLineBytes) {
        position += rest.length;
        within ??= 'overlong';
        lines.push(line(rest, row));
        from = data.length;
        rest = Buffer.alloc(0);
      } else if (from > 0) {
        // A copy, so that a short rest does not keep its whole chunk.
        rest = Buffer.from(rest);
      }
      if (from > 0) yield block(lines, data.subarray(0, from));
    }
    if (rest.length > 0 && (await isWhole(options))) {
      position += rest.length;
      const last = line(withoutCarriageReturn(rest), row);
      yield block(within === 'continued' && last.text === '' ? [] : [last], rest);
      rest = Buffer.alloc(0);
    }
  } catch (error) {
    if (options.signal?.aborted === true) return undefined;
    throw readFailure(error, options.path, row);
  }
  if (options.signal?.aborted === true) return undefined;
  const end = before;
  return { row, byte: position, heldBackBytes: rest.length, fingerprint: () => fingerprintOf(end) };
}

async function isWhole({ path, lastLine = 'complete', now = Date.now }: LineOptions): Promise<boolean> {
  if (isCompressed(path)) return true;
  if (lastLine !== 'settled') return lastLine === 'complete';
  const { mtimeMs } = await stat(path);
  return now() - mtimeMs >= SETTLED_AFTER_MS;
}

function withoutCarriageReturn(line: Buffer): Buffer {
  return line[line.length - 1] === CARRIAGE_RETURN ? line.subarray(0, line.length - 1) : line;
}

function decodeLine(line: Buffer, encoding: 'utf-8' | 'latin1'): { text: string; problem?: 'invalid-encoding' } {
  if (encoding === 'latin1') return { text: line.toString('latin1') };
  if (!isUtf8(line)) return { text: line.toString('latin1'), problem: 'invalid-encoding' };
  return { text: line.toString('utf8') };
}
