import type { Readable } from 'node:stream';
import { z } from 'zod';
import { GridError } from '../../grid/errors.ts';
import { TEMPORAL_ASPECTS } from '../../grid/reading.ts';

const LINE_FEED = 0x0a;

/** One reading of a bundle of telemetry, see docs/discovery.md. */
export interface LegacyReading {
  readonly row: string;
  readonly column: string;
  readonly sensorId: string;
  /** Epoch seconds, JSON number text. */
  readonly eventTime: string;
  readonly value: string;
  readonly unit: string;
  readonly aspect: (typeof TEMPORAL_ASPECTS)[number];
}

const fields = z.tuple([
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.enum(TEMPORAL_ASPECTS),
]);

/** The readings of one content, in order, out of a bundle that has those of others too. */
export async function* readingsOf(
  content: string,
  bundle: Readable,
  path: string,
): AsyncGenerator<LegacyReading, void, undefined> {
  const mark = Buffer.from(`${content}\t`);
  let found = false;
  for await (const line of linesOf(bundle)) {
    if (!line.subarray(0, mark.length).equals(mark)) {
      // They lie together.
      if (found) return;
      continue;
    }
    found = true;
    const parsed = fields.safeParse(cellsOf(line.toString('utf8')));
    if (!parsed.success) {
      throw new GridError(
        'defect',
        `Reading the telemetry of ${content} in ${path}: a line is not as it was written.`,
        {
          cause: parsed.error,
        },
      );
    }
    const [, row, column, sensorId, eventTime, value, unit, aspect] = parsed.data;
    yield { row, column, sensorId, eventTime, value, unit, aspect };
  }
}

async function* linesOf(bundle: Readable): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bundle as AsyncIterable<Buffer>) {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, from)) {
      yield bytes.subarray(from, end);
      from = end + 1;
    }
    rest = bytes.subarray(from);
  }
}

/** Cells between tabs, with the backslashes taken away that kept what is in them. */
function cellsOf(line: string): readonly string[] {
  if (!line.includes('\\')) return line.split('\t');
  const cells: string[] = [];
  let cell = '';
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === '\t') {
      cells.push(cell);
      cell = '';
    } else if (character === '\\') {
      const next = line.charAt(++at);
      cell += next === 'r' ? '\r' : next === 'n' ? '\n' : next;
    } else {
      cell += character;
    }
  }
  return [...cells, cell];
}
