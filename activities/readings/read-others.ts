import { entriesIfThere } from '../../connectors/hdfs/if-there.ts';
import type { HdfsClient, HdfsWriter } from '../../connectors/hdfs/hdfs.ts';
import { decimalParts, eventTimeOrderKey } from '../../grid/decimal-text.ts';
import { hiveRow } from '../../grid/history/hive-text.ts';
import { decodeEnvelope, type DecodeLimits } from '../../grid/envelope.ts';
import type { Reading } from '../../grid/reading.ts';
import { windowUnit } from '../../grid/aggregate/window-unit.ts';
import { storableText } from '../../grid/storable-text.ts';

/** What lies in HDFS was within its limits when it was written. */
const LIMITS: DecodeLimits = { maxBytes: Number.MAX_SAFE_INTEGER, maxAheadMs: 0, stored: true };
const WRITE_CHARACTERS = 256 * 1024;

/** Where lines of another form lie, as Hive has found them, and where what they say is to be written. */
export interface OthersDirectories {
  readonly othersDirectory: string;
  readonly othersReadDirectory: string;
}

export interface OthersRead {
  readonly lines: number;
  readonly unreadable: number;
}

/**
 * Reads lines of another form as the sink has read them, by the project's own reader, and writes what they say for Hive. Begun anew by
 * whoever tries it again.
 */
export async function readOthers(
  hdfs: HdfsClient,
  { othersDirectory, othersReadDirectory }: OthersDirectories,
  signal: AbortSignal,
): Promise<OthersRead> {
  await hdfs.delete(othersReadDirectory, { recursive: true });
  let lines = 0;
  let unreadable = 0;
  let rows = '';
  let writer: HdfsWriter | undefined;
  const flush = async (): Promise<void> => {
    writer ??= await hdfs.create(`${othersReadDirectory}/part-00000`, { createParent: true });
    await writer.write(Buffer.from(rows));
    rows = '';
  };
  try {
    for await (const { path, type, lengthBytes } of entriesIfThere(hdfs.list(othersDirectory))) {
      if (type !== 'file' || lengthBytes === 0) continue;
      for await (const line of linesOf(await hdfs.read(path))) {
        signal.throwIfAborted();
        lines++;
        const row = rowOf(line);
        if (row === undefined) unreadable++;
        else rows += row;
        if (rows.length >= WRITE_CHARACTERS) await flush();
      }
    }
    if (rows !== '') await flush();
    await writer?.close();
  } catch (error) {
    await writer?.abort();
    throw error;
  }
  return { lines, unreadable };
}

const LINE_FEED = 0x0a;

/** Lines end with a line feed and nothing else: whatever else is taken for a line's end may stand in a string of JSON. */
async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let begun: Buffer[] = [];
  for await (const chunk of source) {
    let at = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, at)) {
      yield Buffer.concat([...begun, chunk.subarray(at, end)]);
      begun = [];
      at = end + 1;
    }
    if (at < chunk.length) begun.push(chunk.subarray(at));
  }
  if (begun.length > 0) yield Buffer.concat(begun);
}

/** `partition, first offset, place, line`; the line may hold tabs. */
const PLACED_LINE = /^(\d{1,9})\t(\d{1,18})\t(\d{1,18})\t/;

const MOST_PLACE_BYTES = 9 + 18 + 18 + 3;

function rowOf(line: Buffer): string | undefined {
  const place = PLACED_LINE.exec(line.toString('latin1', 0, MOST_PLACE_BYTES));
  if (place === null) return undefined;
  const bytes = line.subarray(place[0].length);
  const decoded = decodeEnvelope(bytes, Number.MAX_SAFE_INTEGER, LIMITS);
  if (!decoded.ok) return undefined;
  const [, ...places] = place;
  return `${hiveRow([...fieldsOf(decoded.reading), ...places, decoded.reading.createdAt])}\n`;
}

function fieldsOf(reading: Reading): readonly string[] {
  const { sensorId, aspect, unit, correlationId, modality, createdAt } = reading;
  return [
    sensorId,
    aspect,
    windowUnit(unit),
    storableText(correlationId),
    modality,
    plainDecimal(modality),
    eventTimeOrderKey(createdAt),
  ];
}

/** A JSON number without exponent; empty when it has more digits than any sum could hold. */
function plainDecimal(text: string): string {
  const parts = decimalParts(text);
  if (parts === undefined) return '';
  return `${parts.negative ? '-' : ''}${parts.integer}${parts.fraction === '' ? '' : `.${parts.fraction}`}`;
}
