import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/** Text that is collected before it is sent. */
const CHUNK_CHARACTERS = 256 * 1_024;

/** `COPY … FROM STDIN` in text format of lines that are made as they are sent. @returns rows that the database has taken */
export async function copyLines(
  client: pg.Client,
  target: string,
  lines: AsyncIterable<string>,
  signal: AbortSignal,
): Promise<number> {
  const copy = client.query(copyFrom(`COPY ${target} FROM STDIN`));
  await pipeline(Readable.from(inChunks(lines), { objectMode: true, highWaterMark: 2 }), copy, { signal });
  return copy.rowCount;
}

/** `COPY … FROM STDIN` of a SimBench file as it is. @returns rows that the database has taken */
export async function copyCsvFile(
  client: pg.Client,
  target: string,
  path: string,
  signal: AbortSignal,
): Promise<number> {
  const copy = client.query(copyFrom(`COPY ${target} FROM STDIN (FORMAT csv, DELIMITER ';', NULL 'NULL', HEADER)`));
  await pipeline(createReadStream(path, { highWaterMark: CHUNK_CHARACTERS }), copy, { signal });
  return copy.rowCount;
}

/** A field of COPY's text format. */
export function copyField(text: string): string {
  return text.replace(/[\\\t\n\r]/g, (character) => ESCAPES.get(character) ?? character);
}

const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({ '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }),
);

async function* inChunks(lines: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let text = '';
  for await (const line of lines) {
    text += line;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}
