/**
 * Looking at JSON as text. `JSON.parse` turns `230.10` into 230.1 and `12345678901234567890` into another number; what
 * must be kept exactly is therefore cut out of the text itself (RFC 8259 grammar).
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function skipWhitespace(text: string, start: number): number {
  let at = start;
  while (at < text.length && isWhitespace(text.charCodeAt(at))) at++;
  return at;
}

/** The index just behind the string whose opening quote stands at `start`; the text's length when it never closes. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

/** The index just behind the value that begins at `start`: at its following comma, closing bracket or the text's end. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === 0) return at;
      depth--;
    } else if (code === COMMA && depth === 0) return at;
    at++;
  }
  return at;
}

/**
 * The raw text of each member of an object, by its decoded key; of equal keys the last, as `JSON.parse` does.
 *
 * @param text valid JSON whose top level is an object; the caller has parsed it.
 */
export function memberTexts(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = skipWhitespace(text, 0) + 1;
  for (;;) {
    at = skipWhitespace(text, at);
    if (text.charCodeAt(at) !== QUOTE) return members;
    const endOfKey = endOfString(text, at);
    const key = JSON.parse(text.slice(at, endOfKey)) as string;
    const colon = skipWhitespace(text, endOfKey);
    const start = skipWhitespace(text, colon + 1);
    const end = endOfValue(text, start);
    members.set(key, text.slice(start, end).trimEnd());
    at = end + 1;
  }
}

/** What {@link arrayElements} found: each element's raw text, and whether the array was closed as it should be. */
export interface ArrayElements {
  readonly elements: string[];
  readonly closed: boolean;
  /** Whether it was left at so many elements as were asked for, with more behind them. */
  readonly more: boolean;
}

/**
 * Cuts a JSON array into the raw texts of its elements, without trusting that they are valid: each can be judged on its
 * own. An element that is cut off by the text's end is the last one, and `closed` is false.
 *
 * @param text begins, after white space, with `[`.
 * @param most elements that are cut; they may be many times as large as their text
 */
export function arrayElements(text: string, most = Number.POSITIVE_INFINITY): ArrayElements {
  const elements: string[] = [];
  let at = skipWhitespace(text, 0) + 1;
  for (;;) {
    at = skipWhitespace(text, at);
    const end = endOfValue(text, at);
    const element = text.slice(at, end).trimEnd();
    const terminator = text.charCodeAt(end);
    if (element !== '' || terminator === COMMA || (elements.length > 0 && terminator === CLOSE_BRACKET)) {
      elements.push(element);
    }
    if (end >= text.length) return { elements, closed: false, more: false };
    at = end + 1;
    if (terminator === CLOSE_BRACKET)
      return { elements, closed: skipWhitespace(text, at) === text.length, more: false };
    if (terminator === CLOSE_BRACE) return { elements, closed: false, more: false };
    if (elements.length >= most) return { elements, closed: false, more: true };
  }
}

const NOT_A_NUMBER = /\b(?:NaN|Infinity)\b/y;
const LETTER_I = 0x49;
const LETTER_N = 0x4e;

/**
 * Whether text that `JSON.parse` refused would be valid if its bare `NaN`, `Infinity` and `-Infinity` (which Python's
 * `json` and others write) were numbers. It takes time in proportion to the text, whatever that is: each string is gone through once.
 */
export function isJsonButForNotANumber(text: string): boolean {
  const parts: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    if (code === LETTER_N || code === LETTER_I) {
      NOT_A_NUMBER.lastIndex = at;
      if (NOT_A_NUMBER.test(text)) {
        parts.push(text.slice(copied, at), '0');
        copied = NOT_A_NUMBER.lastIndex;
        at = copied;
        continue;
      }
    }
    at++;
  }
  if (parts.length === 0) return false;
  parts.push(text.slice(copied));
  try {
    JSON.parse(parts.join(''));
    return true;
  } catch {
    return false;
  }
}
