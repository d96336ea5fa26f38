import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { GridError } from '../../../grid/errors.ts';
import { arrayElements } from '../../../grid/json-text.ts';

/** One event of Flume's JSON handler. */
export interface FlumeEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface FlumeLimits {
  readonly maxEvents: number;
  /** Bytes of one event's headers. */
  readonly maxHeaderBytes: number;
  /** Bytes of headers that all lines of the request may have together: each line of an event carries them. */
  readonly maxAllHeaderBytes: number;
}

const eventsSchema = z.array(z.object({ headers: z.record(z.string(), z.string()).nullish(), body: z.string() }));

/**
 * Reads what Flume's HTTP source takes by default: `[{"headers":{"name":"value"},"body":"text"}, …]`.
 *
 * @param body as it was sent, without a byte order mark.
 * @throws GridError `invalid-encoding` with the events that are not valid text, `malformed-json`, `malformed-source-data` with the
 *   place that is wrong, `request-too-large` beyond the limits.
 */
export function flumeEvents(body: Buffer, limits: FlumeLimits): FlumeEvent[] {
  if (!isUtf8(body)) throw notUtf8(body);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new GridError(
      'malformed-json',
      `Reading the events: the body is not valid JSON (${error instanceof Error ? error.message : String(error)}). Send plain lines with Content-Type text/plain.`,
      { cause: error },
    );
  }
  if (Array.isArray(parsed) && parsed.length > limits.maxEvents) {
    throw tooLarge(`it has ${parsed.length} events; at most ${limits.maxEvents} are allowed`);
  }
  const events = eventsSchema.safeParse(parsed);
  if (!events.success) {
    const issue = events.error.issues[0];
    throw new GridError(
      'malformed-source-data',
      `Reading the events: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}. A JSON body is [{"headers":{},"body":"text"}]; send plain lines, JSON lines too, with Content-Type text/plain.`,
    );
  }
  const read = events.data.map(({ headers, body: text }) => ({ headers: headers ?? {}, body: text }));
  checkSurrogates(read);
  checkHeaders(read, limits);
  return read;
}

function checkHeaders(events: readonly FlumeEvent[], limits: FlumeLimits): void {
  let allBytes = 0;
  for (const [index, { headers, body }] of events.entries()) {
    let bytes = 0;
    for (const [name, value] of Object.entries(headers)) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
    if (bytes > limits.maxHeaderBytes) {
      throw tooLarge(`event ${index} has ${bytes} bytes of headers; at most ${limits.maxHeaderBytes} are allowed`);
    }
    if (bytes > 0) allBytes += bytes * linesOf(body);
  }
  if (allBytes > limits.maxAllHeaderBytes) {
    throw tooLarge(
      `its lines carry ${allBytes} bytes of event headers; at most ${limits.maxAllHeaderBytes} are allowed in one request`,
    );
  }
}

function linesOf(text: string): number {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** JSON may write half a surrogate pair (`\ud800`), which no UTF-8 can hold: it would be stored as another character. */
function checkSurrogates(events: readonly FlumeEvent[]): void {
  const bad = events.flatMap(({ headers, body }, index) =>
    body.isWellFormed() &&
    Object.entries(headers)
      .flat()
      .every((text) => text.isWellFormed())
      ? []
      : [index],
  );
  if (bad.length > 0) throw invalidEncoding(bad, 'holds half a surrogate pair');
}

function notUtf8(body: Buffer): GridError {
  // As latin1 each byte is a character: the events can be told apart even where they are not valid UTF-8.
  const start = body.findIndex((byte) => byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09);
  const isArray = body[start] === 0x5b;
  const { elements } = isArray ? arrayElements(body.toString('latin1', start)) : { elements: [] };
  const bad = elements.flatMap((element, index) => (isUtf8(Buffer.from(element, 'latin1')) ? [] : [index]));
  return invalidEncoding(bad, 'is not valid UTF-8');
}

function invalidEncoding(events: readonly number[], why: string): GridError {
  const [first] = events;
  const which = first === undefined ? 'the body' : `event ${first}`;
  const more = events.length > 1 ? ` (and ${events.length - 1} more)` : '';
  return new GridError(
    'invalid-encoding',
    `Reading the events: ${which} ${why}${more}. Nothing of the request was stored; send UTF-8, or text in another encoding as plain lines with Content-Type text/plain.`,
  );
}

function tooLarge(what: string): GridError {
  return new GridError(
    'request-too-large',
    `Reading the events: ${what}. Nothing of the request was stored; send it in several requests.`,
  );
}
