import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GridError } from '../../../grid/errors.ts';

/** One line of a text file. */
export interface Line {
  /** Number of the line in the file, from 1. */
  readonly row: number;
  /** Number of the line that follows; the same as `row` while more pieces of an overlong line follow. */
  readonly nextRow: number;
  /** Where that starts, in bytes of the text (after decompression). */
  readonly endByte: number;
  /** Without its line break. With `invalid-encoding` each byte is a Latin-1 character, so that none is lost. */
  readonly text: string;
  /** `overlong`: a piece of a line that is longer than allowed; all pieces have the same `row`. */
  readonly problem?: 'invalid-encoding' | 'overlong';
}

export interface LineOptions {
  readonly path: string;
  readonly encoding: 'utf-8' | 'latin1';
  /** Where to start, and which line stands there; the beginning by default. */
  readonly start?: { readonly byte: number; readonly row: number };
  readonly maxLineBytes?: number;
  readonly signal?: AbortSignal;
}

const CHUNK_BYTES = 256 * 1_024;
const DEFAULT_MAX_LINE_BYTES = 4 << 20;
const LINE_FEED = 10;

/**
 * The lines of a file, plain or gzip (by its name), a chunk's worth at a time, in constant memory. A record is a line: a stray quote
 * costs its own line, where a parser that lets quoted fields run over line ends would swallow all that follows.
 *
 * @throws GridError `source-unavailable` when the file cannot be read, `malformed-source-data` when its gzip stream is broken;
 *   all complete lines before that place were given out.
 */
export async function* readLines(options: LineOptions): AsyncGenerator<readonly Line[], void, void> {
  const maxLineBytes = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
  const start = options.start ?? { byte: 0, row: 1 };
  const compressed = options.path.endsWith('.gz');
  const input = openInput(options.path, compressed ? 0 : start.byte, compressed);
  const abort = (): void => {
    input.destroy();
  };
  options.signal?.addEventListener('abort', abort, { once: true });
  /** Bytes to pass over: a compressed file is read from its beginning. */
  let toSkip = compressed ? start.byte : 0;
  let position = start.byte;
  let row = start.row;
  let rest: Buffer = Buffer.alloc(0);
  let overlong = false;
  const decode = (bytes: Buffer): Omit<Line, 'row' | 'nextRow' | 'endByte'> => decodeLine(bytes, options.encoding);

  try {
    for await (const piece of input as AsyncIterable<Buffer>) {
      let chunk = piece;
      if (toSkip > 0) {
        const skipped = Math.min(toSkip, chunk.length);
        toSkip -= skipped;
        chunk = chunk.subarray(skipped);
      }
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const lines: Line[] = [];
      let from = 0;
      for (let end = data.indexOf(LINE_FEED); end >= 0; end = data.indexOf(LINE_FEED, from)) {
        position += end + 1 - from;
        const line = decode(data.subarray(from, end));
        lines.push({
          row,
          nextRow: row + 1,
          endByte: position,
          ...line,
          ...(overlong ? { problem: 'overlong' as const } : {}),
        });
        overlong = false;
        row += 1;
        from = end + 1;
      }
      rest = data.subarray(from);
      if (rest.length > maxLineBytes) {
        position += rest.length;
        lines.push({ row, nextRow: row, endByte: position, ...decode(rest), problem: 'overlong' });
        rest = Buffer.alloc(0);
        overlong = true;
      } else if (from > 0) {
        // A copy, so that a short rest does not keep its whole chunk.
        rest = Buffer.from(rest);
      }
      if (lines.length > 0) yield lines;
    }
    if (rest.length > 0) {
      position += rest.length;
      yield [
        {
          row,
          nextRow: row + 1,
          endByte: position,
          ...decode(rest),
          ...(overlong ? { problem: 'overlong' as const } : {}),
        },
      ];
    }
  } catch (error) {
    if (options.signal?.aborted === true) return;
    throw explain(error, options.path, row);
  } finally {
    options.signal?.removeEventListener('abort', abort);
    input.destroy();
  }
}

function openInput(path: string, startByte: number, compressed: boolean): Readable {
  const file = createReadStream(path, { start: startByte, highWaterMark: CHUNK_BYTES });
  if (!compressed) return file;
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  file.on('error', (error) => gunzip.destroy(error));
  gunzip.on('close', () => file.destroy());
  return file.pipe(gunzip);
}

function decodeLine(bytes: Buffer, encoding: 'utf-8' | 'latin1'): { text: string; problem?: 'invalid-encoding' } {
  const end = bytes[bytes.length - 1] === 13 ? bytes.length - 1 : bytes.length;
  const line = end === bytes.length ? bytes : bytes.subarray(0, end);
  if (encoding === 'latin1') return { text: line.toString('latin1') };
  if (!isUtf8(line)) return { text: line.toString('latin1'), problem: 'invalid-encoding' };
  return { text: line.toString('utf8') };
}

function explain(error: unknown, path: string, row: number): GridError {
  if (error instanceof GridError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('Z_')) {
    return new GridError(
      'malformed-source-data',
      `Reading ${path}: its gzip stream is broken or cut off behind line ${row - 1} (${detail}). All lines before that were read; get the file anew.`,
      { cause: error },
    );
  }
  return new GridError(
    'source-unavailable',
    `Reading ${path} at line ${row}: ${detail}. Check that the file is there and may be read.`,
    { cause: error },
  );
}
