/**
 * InfluxDB line protocol, as its reference describes it:
 *
 *     <measurement>[,<tag>=<value>…] <field>=<value>[,<field>=<value>…] [<timestamp>]
 *
 * Text is handled as latin1, one character a byte, so that offsets are byte offsets and every byte survives; names and
 * values are decoded as UTF-8 where they are cut out. All syntax is ASCII, which never occurs inside a UTF-8 sequence.
 */

import { isUtf8 } from 'node:buffer';

export type FieldValue =
  /** `text` is a JSON number: the digits as written, without type suffix, sign `+` or leading zeros. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'not-a-number'; readonly text: string }
  | { readonly kind: 'string' }
  | { readonly kind: 'boolean' };

export interface Point {
  readonly measurement: string;
  /** In the order written. */
  readonly tags: readonly (readonly [key: string, value: string])[];
  readonly fields: readonly (readonly [key: string, value: FieldValue])[];
  /** Decimal digits, perhaps with `-`; undefined when the line has none. */
  readonly timestamp: string | undefined;
}

export type ParsedLine =
  | { readonly ok: true; readonly point: Point }
  | { readonly ok: false; readonly encoding: boolean; readonly message: string };

/** Parses a body line by line; blank lines and comments (`#`) are no lines. A bad line costs only itself. */
export function* parseLineProtocol(body: Buffer): Generator<ParsedLine> {
  const text = body.toString('latin1');
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === SPACE || code === NEWLINE || code === RETURN || code === TAB) {
      at++;
    } else if (code === HASH) {
      at = endOfLine(text, at) + 1;
    } else {
      const line = new LineReader(text, at);
      let parsed: ParsedLine;
      try {
        parsed = { ok: true, point: line.read() };
      } catch (error) {
        if (!(error instanceof LineError)) throw error;
        parsed = {
          ok: false,
          encoding: error.encoding,
          message: `${error.message} (byte ${line.at - at} of the line)`,
        };
        line.at = endOfLine(text, line.at);
      }
      yield parsed;
      at = line.at + 1;
    }
  }
}

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** How far a quote that is not closed is followed: beyond, only its own line is given up. */
const MAX_STRING_BYTES = 65_536;
/** No envelope holds a longer number. */
const MAX_VALUE_BYTES = 65_536;
/** Measurement and tags together, and a field's key, as they are written. Every reading of the line is named by them. */
export const MAX_NAME_BYTES = 16_384;
export const MAX_TAGS = 1_000;
export const MAX_FIELDS = 10_000;
/** What of a name stands in a message. */
const SHOWN_CHARACTERS = 80;

const INTEGER = /^[+-]?\d+[iu]$/;
const FLOAT = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,10})?$/;
const BOOLEAN = /^(?:t|T|true|True|TRUE|f|F|false|False|FALSE)$/;
const NOT_A_NUMBER = /^[+-]?(?:nan|inf|infinity)$/i;
const TIMESTAMP = /^-?\d{1,20}$/;

class LineError extends Error {
  readonly encoding: boolean;

  constructor(message: string, encoding = false) {
    super(message);
    this.encoding = encoding;
  }
}

class LineReader {
  readonly #text: string;
  at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  read(): Point {
    const start = this.at;
    const measurement = this.#token('the measurement', false);
    const tags: [string, string][] = [];
    while (this.#code() === COMMA) {
      if (tags.length === MAX_TAGS) throw new LineError(`the line has more than ${MAX_TAGS} tags`);
      this.at++;
      const key = this.#token('a tag key', true);
      this.#expect(EQUALS, `tag ${shown(key)} has no value`);
      tags.push([key, this.#token(`the value of tag ${shown(key)}`, true)]);
    }
    if (this.at - start > MAX_NAME_BYTES) {
      throw new LineError(`the measurement and its tags have more than ${MAX_NAME_BYTES} bytes`);
    }
    this.#spaces('the fields');
    const fields: [string, FieldValue][] = [];
    do {
      if (fields.length === MAX_FIELDS) throw new LineError(`the line has more than ${MAX_FIELDS} fields`);
      if (fields.length > 0) this.at++;
      const key = this.#token('a field key', true);
      this.#expect(EQUALS, `field ${shown(key)} has no value`);
      fields.push([key, this.#fieldValue(key)]);
    } while (this.#code() === COMMA);
    return { measurement, tags, fields, timestamp: this.#timestamp() };
  }

  /** A name up to the next unescaped comma, space or (`stopAtEquals`) equals sign. A backslash escapes only those. */
  #token(what: string, stopAtEquals: boolean): string {
    const start = this.at;
    let escaped = false;
    for (; !this.#atEnd(); this.at++) {
      const code = this.#code();
      if (code === BACKSLASH && isSpecial(this.#text.charCodeAt(this.at + 1), stopAtEquals)) {
        escaped = true;
        this.at++;
      } else if (isSpecial(code, stopAtEquals)) break;
    }
    if (this.at === start) throw new LineError(`${what} is missing`);
    if (this.at - start > MAX_NAME_BYTES) throw new LineError(`${what} has more than ${MAX_NAME_BYTES} bytes`);
    const raw = this.#text.slice(start, this.at);
    return decode(escaped ? raw.replace(stopAtEquals ? /\\([,= ])/g : /\\([, ])/g, '$1') : raw);
  }

  #fieldValue(key: string): FieldValue {
    if (this.#code() === QUOTE) {
      this.#skipString(key);
      return { kind: 'string' };
    }
    const start = this.at;
    while (!this.#atEnd() && this.#code() !== COMMA && this.#code() !== SPACE) this.at++;
    const length = this.at - start;
    if (length === 0) throw new LineError(`field ${shown(key)} has no value`);
    const value = length > MAX_VALUE_BYTES ? undefined : fieldValue(this.#text.slice(start, this.at));
    if (value !== undefined) return value;
    this.at = start;
    throw new LineError(
      length > MAX_VALUE_BYTES
        ? `the value of field ${shown(key)} has more than ${MAX_VALUE_BYTES} bytes`
        : `field ${shown(key)} is neither a number, a boolean nor a quoted string`,
    );
  }

  /** A quoted string may hold line breaks, commas and spaces; a backslash escapes a quote or a backslash. */
  #skipString(key: string): void {
    const start = this.at;
    const limit = Math.min(this.#text.length, start + MAX_STRING_BYTES);
    for (this.at++; this.at < limit; this.at++) {
      const code = this.#text.charCodeAt(this.at);
      if (code === BACKSLASH) this.at++;
      else if (code === QUOTE) {
        this.at++;
        return;
      }
    }
    // The rest of the body may be good lines: only this line is given up.
    this.at = start;
    throw new LineError(`the quoted value of field ${shown(key)} is not closed within ${MAX_STRING_BYTES} bytes`);
  }

  #timestamp(): string | undefined {
    const start = this.at;
    const end = endOfLine(this.#text, start);
    const rest = this.#text.slice(start, end);
    if (rest !== '' && !/^[ \r]/.test(rest)) throw new LineError('a comma or a space is missing');
    const text = rest.trim();
    if (text !== '' && !TIMESTAMP.test(text)) throw new LineError('the timestamp is not a whole number');
    this.at = end;
    return text === '' ? undefined : text;
  }

  #spaces(before: string): void {
    const start = this.at;
    while (this.#code() === SPACE) this.at++;
    if (this.at === start || this.#atEnd()) throw new LineError(`${before} are missing`);
  }

  #expect(code: number, message: string): void {
    if (this.#code() !== code) throw new LineError(message);
    this.at++;
  }

  #code(): number {
    return this.#text.charCodeAt(this.at);
  }

  #atEnd(): boolean {
    const code = this.#code();
    if (code === RETURN) {
      const next = this.#text.charCodeAt(this.at + 1);
      return Number.isNaN(next) || next === NEWLINE;
    }
    return Number.isNaN(code) || code === NEWLINE;
  }
}

function fieldValue(raw: string): FieldValue | undefined {
  if (INTEGER.test(raw)) return { kind: 'number', text: jsonNumber(raw.slice(0, -1)) };
  if (FLOAT.test(raw)) return { kind: 'number', text: jsonNumber(raw) };
  if (BOOLEAN.test(raw)) return { kind: 'boolean' };
  return NOT_A_NUMBER.test(raw) ? { kind: 'not-a-number', text: raw } : undefined;
}

/** A number as JSON has it: no sign `+`, no leading zeros, digits on both sides of the point; every other digit as it was. */
function jsonNumber(raw: string): string {
  const sign = raw.startsWith('-') ? '-' : '';
  let start = sign !== '' || raw.startsWith('+') ? 1 : 0;
  while (raw.charCodeAt(start) === ZERO && isDigit(raw.charCodeAt(start + 1))) start++;
  const whole = isDigit(raw.charCodeAt(start)) ? '' : '0';
  const rest = raw.slice(start);
  const point = rest.indexOf('.');
  const isBare = point >= 0 && !isDigit(rest.charCodeAt(point + 1));
  return `${sign}${whole}${isBare ? rest.slice(0, point) + rest.slice(point + 1) : rest}`;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function isSpecial(code: number, stopAtEquals: boolean): boolean {
  return code === COMMA || code === SPACE || (stopAtEquals && code === EQUALS);
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** A name as it stands in a message. */
function shown(name: string): string {
  return JSON.stringify(name.length > SHOWN_CHARACTERS ? `${name.slice(0, SHOWN_CHARACTERS)}…` : name);
}

/** A name's bytes as UTF-8. */
function decode(latin1: string): string {
  // eslint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  if (!isUtf8(bytes)) throw new LineError('a name is not valid UTF-8', true);
  return bytes.toString('utf8');
}
