import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { parse } from 'lossless-json';
import { GridError, type ErrorCode } from '../grid/errors.ts';

/** What a file is read for; the parts of the message when that fails: `<attempt>: <what is wrong>. <advice>` */
export interface ReadingOf {
  readonly code: ErrorCode;
  /** What is done, and on what: `Reading the routes file routes.json`. */
  readonly attempt: string;
  /** What to do when it fails, a sentence: `Set ROUTES_FILE to a readable file.` */
  readonly advice: string;
  /** Longer files are refused. Default 16 MiB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 16 << 20;
const CHUNK_BYTES = 64 * 1_024;

/**
 * Reads a file that a person or another system has written as JSON: UTF-8, with or without a byte order mark.
 *
 * @throws GridError of the given code: it cannot be read, is too large, is not UTF-8, or not JSON (with line and column), or an object names a
 *   key twice with different values, of which all but one would be lost
 */
export async function readJsonFile(path: string, reading: ReadingOf): Promise<unknown> {
  return parseJson(await readTextFile(path, reading), reading);
}

/**
 * Reads a small UTF-8 file, a pipe too; a byte order mark is no part of its text.
 *
 * @throws GridError of the given code: it cannot be read, is too large, or not UTF-8 (with the line)
 */
export async function readTextFile(path: string, reading: ReadingOf): Promise<string> {
  const maxBytes = reading.maxBytes ?? DEFAULT_MAX_BYTES;
  let bytes: Buffer;
  try {
    bytes = await readAtMost(path, maxBytes + 1);
  } catch (error) {
    throw failure(reading, `it cannot be read: ${messageOf(error)}`, error);
  }
  if (bytes.length > maxBytes) throw failure(reading, `it has more than ${maxBytes} bytes`);
  if (!isUtf8(bytes)) throw failure(reading, encodingFault(bytes));
  return withoutByteOrderMark(bytes.toString('utf8'));
}

/**
 * Parses JSON text, strictly; see {@link readJsonFile}.
 *
 * @throws GridError of the given code
 */
export function parseJson(text: string, reading: ReadingOf): unknown {
  const json = withoutByteOrderMark(text);
  if (json.trim() === '') throw failure(reading, 'it is empty, not JSON');
  try {
    // JSON.parse takes the last of repeated keys in silence and does not always say where an error is; this parser does both.
    parse(json, undefined, Number);
    return JSON.parse(json) as unknown;
  } catch (error) {
    throw failure(reading, `it is not valid JSON: ${jsonFault(json, error)}`, error);
  }
}

/** Text without the byte order mark that some editors and servers put before it. */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

async function readAtMost(path: string, bytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    while (length < bytes) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes - length)));
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    return Buffer.concat(chunks, length);
  } finally {
    await file.close();
  }
}

/** Of bytes that are not UTF-8: what they are likely to be, or the first line at fault. */
function encodingFault(bytes: Buffer): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    return 'it is UTF-16; it has to be saved as UTF-8';
  }
  let line = 1;
  for (let from = 0; from <= bytes.length; line += 1) {
    const end = bytes.indexOf(10, from);
    if (end < 0 || !isUtf8(bytes.subarray(from, end))) break;
    from = end + 1;
  }
  return `line ${line} is not UTF-8; it has to be saved as UTF-8`;
}

/** The parser's own sentence, with line and column in place of its character count; not the text there, which may hold a key. */
function jsonFault(json: string, error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deep';
  const message = messageOf(error);
  const found = / at position (\d+)$/.exec(message);
  if (found === null) return message;
  const at = Math.min(Number(found[1]), json.length);
  const before = json.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  return `${message.slice(0, found.index)} at line ${line}, column ${column}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failure({ code, attempt, advice }: ReadingOf, fault: string, cause?: unknown): GridError {
  return new GridError(code, `${attempt}: ${fault}. ${advice}`, { cause });
}
