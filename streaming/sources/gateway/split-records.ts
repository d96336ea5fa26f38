import { arrayElements } from '../../../grid/json-text.ts';
import { GridError } from '../../../grid/errors.ts';
import { firstNonBlank } from './body-format.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const OPEN_BRACKET = 0x5b;

/**
 * The records of a JSON body, each with the bytes it was sent with: the elements of an array, or the one envelope.
 * Only line breaks between tokens become blanks, since every store keeps a reading on one line.
 *
 * @param most elements of an array that are cut
 * @throws GridError `malformed-json` when the array does not end, or text follows it: what was sent is not what was meant.
 */
export function* jsonRecords(body: Buffer, most: number): Generator<Buffer> {
  const start = firstNonBlank(body, 0);
  if (body[start] !== OPEN_BRACKET) {
    if (start < body.length) yield onOneLine(trimEnd(body, start, body.length));
    return;
  }
  // As latin1 each byte is a character: elements keep their bytes even where they are not valid UTF-8.
  const { elements, closed, more } = arrayElements(body.toString('latin1', start), most);
  if (!closed && !more) {
    throw new GridError(
      'malformed-json',
      'Reading the body: the JSON array is cut off, or followed by something else. Nothing of it was stored; send it again whole.',
    );
  }
  for (const element of elements) yield onOneLine(Buffer.from(element, 'latin1'));
}

/** The records of newline-delimited JSON; blank lines are none. */
export function* lineRecords(body: Buffer): Generator<Buffer> {
  let at = 0;
  while (at < body.length) {
    const newline = body.indexOf(NEWLINE, at);
    const end = newline < 0 ? body.length : newline;
    let start = at;
    while (start < end && isBlank(body[start])) start++;
    if (start < end) yield onOneLine(trimEnd(body, start, end));
    at = end + 1;
  }
}

function trimEnd(body: Buffer, start: number, end: number): Buffer {
  let last = end;
  while (last > start && isBlank(body[last - 1])) last--;
  return body.subarray(start, last);
}

/** JSON has raw line breaks only between tokens. */
function onOneLine(record: Buffer): Buffer {
  if (!record.includes(NEWLINE) && !record.includes(RETURN)) return record;
  return Buffer.from(record.map((byte) => (byte === NEWLINE || byte === RETURN ? SPACE : byte)));
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;
}
