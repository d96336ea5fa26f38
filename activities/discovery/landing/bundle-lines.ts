import { createInterface } from 'node:readline';
import { createReadStream } from 'node:fs';
import { GridError } from '../../../grid/errors.ts';
import { telemetryRow } from '../identification/telemetry-rows.ts';

const GATHERED_CHARACTERS = 64 << 10;
const HASH_CHARACTERS = 64;

/** What Hive reads as a TAB, a line's end or a backslash within a field, where the table has `ESCAPED BY '\\'` and `serialization.escape.crlf`. */
function escaped(text: string): string {
  return text.replaceAll(/[\\\t\r\n]/g, (character) =>
    character === '\r' ? '\\r' : character === '\n' ? '\\n' : `\\${character}`,
  );
}

/** Text of a content as lines for Hive: hash, number of the line from 1, the line; however long lines are, little of them is held. */
export async function* textLines(
  sha256: string,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  let line = 0;
  let isAtStart = true;
  for await (const chunk of chunks) {
    let out = '';
    // Byte by byte, so that a character may go on in the next chunk.
    const parts = chunk.toString('latin1').split('\n');
    for (const [index, part] of parts.entries()) {
      const isEnded = index < parts.length - 1;
      if (isAtStart && (isEnded || part !== '')) {
        out += `${sha256}\t${++line}\t`;
        isAtStart = false;
      }
      out += escaped(part);
      if (isEnded) {
        out += '\n';
        isAtStart = true;
      }
    }
    yield Buffer.from(out, 'latin1');
  }
  if (!isAtStart) yield Buffer.from('\n');
}

/** Readings of a content as lines for Hive: hash, row, column, sensor, event time, value, unit, aspect. */
export async function* telemetryLines(sha256: string, path: string): AsyncGenerator<Buffer, void, undefined> {
  let out = '';
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line === '') continue;
    const parsed = telemetryRow.safeParse(JSON.parse(line));
    if (!parsed.success) {
      throw new GridError('defect', `Reading the telemetry of ${sha256}: a row is not as it should be.`, {
        cause: parsed.error,
      });
    }
    const { row, column, sensorId, eventTime, value, unit, aspect } = parsed.data;
    out += `${[sha256, row, column, escaped(sensorId), eventTime, value, escaped(unit), aspect].join('\t')}\n`;
    if (out.length >= GATHERED_CHARACTERS) {
      yield Buffer.from(out);
      out = '';
    }
  }
  if (out !== '') yield Buffer.from(out);
}

/** The hashes that lines begin with. */
export async function contentsOf(chunks: AsyncIterable<unknown>): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  let head = '';
  for await (const chunk of chunks) {
    if (!(chunk instanceof Buffer)) continue;
    for (const [index, part] of chunk.toString('latin1').split('\n').entries()) {
      if (index > 0) head = '';
      if (head.length < HASH_CHARACTERS) {
        head += part.slice(0, HASH_CHARACTERS - head.length);
        if (head.length === HASH_CHARACTERS) found.add(head);
      }
    }
  }
  return found;
}
