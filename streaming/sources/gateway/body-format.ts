import { GridError } from '../../../grid/errors.ts';
import type { ContentType } from '../../../runtime/http/content-type.ts';

/** How a body is cut into records. */
export type BodyFormat = 'json' | 'ndjson' | 'line-protocol';

type DeclaredFormat =
  /** JSON, by its content one envelope, an array or lines. */
  | 'json'
  | 'ndjson'
  | 'line-protocol'
  /** Could be anything: JSON when it begins like it, else line protocol. */
  | 'text';

const BY_MEDIA_TYPE: ReadonlyMap<string, DeclaredFormat> = new Map([
  ['application/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
  ['application/x-jsonlines', 'ndjson'],
  ['application/json-lines', 'ndjson'],
  ['application/vnd.influx.line-protocol', 'line-protocol'],
  ['application/x-influx-line-protocol', 'line-protocol'],
  ['application/influx-line-protocol', 'line-protocol'],
  ['text/plain', 'text'],
  ['application/octet-stream', 'json'],
] satisfies [string, DeclaredFormat][]);

/** Says that a body was sent without a type; curl's `-d` and `--data-binary` declare a form, which it never is here. */
const UNDECLARED: ReadonlySet<string> = new Set(['', 'application/x-www-form-urlencoded']);

/**
 * The format that the Content-Type declares.
 *
 * @throws GridError `unsupported-media-type`.
 */
export function declaredFormat({ mediaType }: ContentType): DeclaredFormat {
  if (UNDECLARED.has(mediaType)) return 'json';
  const format = BY_MEDIA_TYPE.get(mediaType);
  if (format !== undefined) return format;
  throw new GridError(
    'unsupported-media-type',
    `Reading the body: Content-Type ${JSON.stringify(mediaType.slice(0, 80))} is not known. Send application/json, application/x-ndjson or application/vnd.influx.line-protocol.`,
  );
}

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const NEWLINE = 0x0a;

/** The format of a body, by what was declared and, where that leaves it open, by how it begins. */
export function bodyFormat(declared: DeclaredFormat, body: Buffer): BodyFormat {
  if (declared === 'ndjson' || declared === 'line-protocol') return declared;
  const first = body[firstNonBlank(body, 0)];
  if (declared === 'text' && first !== OPEN_BRACE && first !== OPEN_BRACKET) return 'line-protocol';
  if (first === OPEN_BRACKET) return 'json';
  return isSeveralLines(body) ? 'ndjson' : 'json';
}

/** Whether the text behind the first line is more than blanks, and the text is not one value written over several lines. */
function isSeveralLines(body: Buffer): boolean {
  const start = firstNonBlank(body, 0);
  const end = body.indexOf(NEWLINE, start);
  if (end < 0 || firstNonBlank(body, end) === body.length) return false;
  return isJson(body.subarray(start, end)) || !isJson(body);
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** Index of the first byte from `at` on that is not JSON white space; the length when there is none. */
export function firstNonBlank(body: Buffer, at: number): number {
  for (let index = at; index < body.length; index++) {
    const byte = body[index];
    if (byte !== 0x20 && byte !== NEWLINE && byte !== 0x0d && byte !== 0x09) return index;
  }
  return body.length;
}
