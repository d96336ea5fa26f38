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
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** How far a quote that is not closed is followed: beyond, only its own line is given up. */
const MAX_STRING_BYTES = 65_536;

const INTEGER = /^([+-]?)0*(\d+)[iu]$/;
const FLOAT = /^([+-]?)(?:0*(\d+)(?:\.(\d*))?|\.(\d+))([eE][+-]?\d+)?$/;
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
    const measurement = this.#token('the measurement', false);
    const tags: [string, string][] = [];
    while (this.#code() === COMMA) {
      this.at++;
      const key = this.#token('a tag key', true);
      this.#expect(EQUALS, `tag ${JSON.stringify(key)} has no value`);
      tags.push([key, this.#token(`the value of tag ${JSON.stringify(key)}`, true)]);
    }
    this.#spaces('the fields');
    const fields: [string, FieldValue][] = [];
    do {
      if (fields.length > 0) this.at++;
      const key = this.#token('a field key', true);
      this.#expect(EQUALS, `field ${JSON.stringify(key)} has no value`);
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
    const raw = this.#text.slice(start, this.at);
    if (raw === '') throw new LineError(`${what} is missing`);
    return decode(escaped ? raw.replace(stopAtEquals ? /\\([,= ])/g : /\\([, ])/g, '$1') : raw);
  }

  #fieldValue(key: string): FieldValue {
    if (this.#code() === QUOTE) {
      this.#skipString(key);
      return { kind: 'string' };
    }
    const start = this.at;
    while (!this.#atEnd() && this.#code() !== COMMA && this.#code() !== SPACE) this.at++;
    const raw = this.#text.slice(start, this.at);
    const value = fieldValue(raw);
    if (value !== undefined) return value;
    this.at = start;
    throw new LineError(
      raw === ''
        ? `field ${JSON.stringify(key)} has no value`
        : `field ${JSON.stringify(key)} is neither a number, a boolean nor a quoted string`,
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
    throw new LineError(
      `the quoted value of field ${JSON.stringify(key)} is not closed within ${MAX_STRING_BYTES} bytes`,
    );
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
    return (
      Number.isNaN(code) || code === NEWLINE || (code === RETURN && endOfLine(this.#text, this.at) === this.at + 1)
    );
  }
}

function fieldValue(raw: string): FieldValue | undefined {
  const integer = INTEGER.exec(raw);
  if (integer !== null) return { kind: 'number', text: `${integer[1] === '-' ? '-' : ''}${integer[2] ?? ''}` };
  const float = FLOAT.exec(raw);
  if (float !== null) {
    const [, sign, whole = '0', fraction = '', bareFraction = '', exponent = ''] = float;
    const digits = fraction + bareFraction;
    return {
      kind: 'number',
      text: `${sign === '-' ? '-' : ''}${whole}${digits === '' ? '' : `.${digits}`}${exponent}`,
    };
  }
  if (BOOLEAN.test(raw)) return { kind: 'boolean' };
  return NOT_A_NUMBER.test(raw) ? { kind: 'not-a-number', text: raw } : undefined;
}

function isSpecial(code: number, stopAtEquals: boolean): boolean {
  return code === COMMA || code === SPACE || (stopAtEquals && code === EQUALS);
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** A name's bytes as UTF-8. */
function decode(latin1: string): string {
  // eslint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  if (!isUtf8(bytes)) throw new LineError('a name is not valid UTF-8', true);
  return bytes.toString('utf8');
}
