import type { ComtradeData } from '../../../../grid/legacy/comtrade-facts.ts';

const LEAST_SAMPLES = 3;
const MOST_LINES = 2_000;
const LEAST_RECORD_BYTES = 10;
const MOST_RECORD_BYTES = 8 + 4 * 4_096;

/** Data in ASCII: sample numbers one after the other, times that never go back, whole numbers in fields of a constant count. */
export function asciiData(
  lines: readonly string[],
  isWhole: boolean,
): (ComtradeData & { readonly startsAtOne: boolean }) | undefined {
  const kept = lines.filter((line) => line.trim() !== '').slice(0, MOST_LINES);
  if (kept.length < LEAST_SAMPLES) return undefined;
  let [width, number, lastTime, startsAtOne] = [0, 0, -Infinity, false];
  for (const [index, line] of kept.entries()) {
    const fields = line.split(',', 10_000).map((field) => field.trim());
    if (index === 0) {
      width = fields.length;
      number = Number(fields[0]);
      startsAtOne = number === 1 || number === 0;
      if (width < 3 || !/^\d{1,10}$/.test(fields[0] ?? '')) return undefined;
    } else if (Number(fields[0]) !== number + index) return undefined;
    if (fields.length !== width) return undefined;
    // A time may be missing, and a value too (99999 or nothing).
    if (!fields.every((field) => /^[+-]?\d{0,11}(?:\.\d{0,9}(?:[eE][+-]?\d{1,2})?)?$/.test(field))) return undefined;
    const time = fields[1] === '' ? lastTime : Number(fields[1]);
    if (time < lastTime || !/^\d{0,13}$/.test(fields[1] ?? '')) return undefined;
    lastTime = time;
  }
  return { type: 'ascii', width, samples: kept.length, isWhole: isWhole && kept.length < MOST_LINES, startsAtOne };
}

/**
 * Data in binary: records of a constant length, each beginning with a sample number that is one more than the one before, and a time that
 * never goes back. Nothing else is like that over many records.
 */
export function binaryData(head: Buffer, size: number): ComtradeData | undefined {
  const first = head.length >= 8 ? head.readUInt32LE(0) : -1;
  if (first < 0 || first > 1_000_000_000) return undefined;
  for (let width = LEAST_RECORD_BYTES; width <= MOST_RECORD_BYTES && width * LEAST_SAMPLES <= head.length; width += 2) {
    if (head.readUInt32LE(width) !== first + 1) continue;
    const records = Math.floor(head.length / width);
    if (isSequence(head, width, records, first)) {
      return { type: 'binary', width, samples: Math.floor(size / width), isWhole: size % width === 0 };
    }
  }
  return undefined;
}

const NO_TIME = 0xffffffff;

function isSequence(head: Buffer, width: number, records: number, first: number): boolean {
  let lastTime = -1;
  for (let record = 0; record < records; record++) {
    if (head.readUInt32LE(record * width) !== first + record) return false;
    const time = head.readUInt32LE(record * width + 4);
    if (time === NO_TIME) continue;
    if (time < lastTime) return false;
    lastTime = time;
  }
  // Three numbers in a row alone may be a table of anything; then they have to begin as samples do.
  return records >= 8 || first === 1 || first === 0;
}
