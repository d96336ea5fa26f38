import type { ComtradeConfiguration } from '../../../../grid/legacy/comtrade-facts.ts';

/** A configuration (.cfg) as it was understood, with what is wrong with it. */
export interface ParsedConfiguration {
  readonly configuration: ComtradeConfiguration;
  /** Names of faults that real recorders make, each with a clause. */
  readonly warnings: readonly string[];
  /** Lines that were as they should be, of those that were looked at. */
  readonly certainty: number;
}

const YEARS = new Map<string, ComtradeConfiguration['revision']>([
  ['1991', 1991],
  ['1997', 1999],
  ['1999', 1999],
  ['2001', 1999],
  ['2013', 2013],
]);
const MOST_CHANNELS = 100_000;
const TYPES = new Map<string, ComtradeConfiguration['dataType']>([
  ['ascii', 'ascii'],
  ['binary', 'binary'],
  ['binary32', 'binary32'],
  ['float32', 'float32'],
]);

/** Fields of a line; recorders of some countries part them by semicolons. */
function fieldsOf(line: string | undefined): readonly string[] {
  return (line ?? '').split(',').map((field) => field.trim());
}

/**
 * Reads the configuration of a recording, of 1991, 1999 or 2013, as tolerantly as it can be read without guessing.
 *
 * @returns undefined: it is none
 */
export function parseConfiguration(lines: readonly string[]): ParsedConfiguration | undefined {
  const warnings: string[] = [];
  const at = { line: 0 };
  const next = (): string => lines[at.line++] ?? '';
  // Empty lines before anything, and between sections, come from printers' programs.
  while (at.line < lines.length && (lines[at.line] ?? '').trim() === '') at.line++;
  if (at.line > 0) warnings.push('leading-blank-lines: it begins with empty lines');
  let separator = ',';
  if (!(lines[at.line] ?? '').includes(',') && (lines[at.line] ?? '').includes(';')) separator = ';';
  const fields = (line: string): readonly string[] =>
    separator === ',' ? fieldsOf(line) : line.split(separator).map((field) => field.trim());
  if (separator !== ',') warnings.push('semicolons: fields are parted by semicolons');

  const first = fields(next());
  if (first.length > 12) return undefined;
  const [station = '', device = '', year = ''] = first;
  let revision = YEARS.get(year);
  if (revision === undefined) {
    if (year !== '') warnings.push(`unknown-revision: year ${year.slice(0, 20)} is no revision of the norm`);
    revision = 1991;
  }
  if (first.length > 3) warnings.push('commas-in-station: the name of the station holds commas');

  const counts = /^(\d{1,9}),(\d{1,9}) {0,9}A?,(\d{1,9}) {0,9}D?$/i.exec(fields(next()).join(','));
  if (counts === null) return undefined;
  const [total, analogs, digitals] = [Number(counts[1]), Number(counts[2]), Number(counts[3])];
  if (analogs + digitals > MOST_CHANNELS || analogs + digitals === 0) return undefined;
  if (total !== analogs + digitals)
    warnings.push(`channel-count: it declares ${total} channels, but ${analogs} and ${digitals}`);
  let good = 2;
  let looked = 2;

  const analogChannels: { name: string; unit: string; phase: string }[] = [];
  for (let channel = 0; channel < analogs && at.line < lines.length; channel++) {
    const cells = fields(next());
    looked++;
    // Number, name, phase, circuit, unit, a, b, skew, least, most; later revisions add ratios.
    const isGood = cells.length >= 8 && /^\d+$/.test(cells[0] ?? '') && isNumber(cells[5]) && isNumber(cells[6]);
    if (isGood) good++;
    else if (cells.length < 5) return undefined;
    analogChannels.push({
      name: (cells[1] ?? '').slice(0, 128),
      phase: (cells[2] ?? '').slice(0, 16),
      unit: (cells[4] ?? '').slice(0, 32),
    });
    if (
      isGood &&
      Number(cells[0]) !== channel + 1 &&
      !warnings.some((warning) => warning.startsWith('channel-numbers'))
    ) {
      warnings.push('channel-numbers: channels are not numbered from 1 on');
    }
    if (
      cells.length >= 10 &&
      cells.length < 13 &&
      revision !== 1991 &&
      !warnings.some((warning) => warning.startsWith('missing-ratios'))
    ) {
      warnings.push('missing-ratios: channels have no primary and secondary ratio');
    }
  }
  const digitalChannels: string[] = [];
  for (let channel = 0; channel < digitals && at.line < lines.length; channel++) {
    const cells = fields(next());
    looked++;
    if (cells.length >= 2 && /^\d+$/.test(cells[0] ?? '')) good++;
    digitalChannels.push((cells[1] ?? '').slice(0, 128));
  }
  const frequency = next().trim();
  looked++;
  if (/^\d{0,4}(?:\.\d*)?$/.test(frequency)) good++;
  else warnings.push('line-frequency: it is no number');
  if (frequency === '') warnings.push('line-frequency: it is missing');
  const rateCount = /^\s*(\d{1,4})/.exec(next())?.[1];
  if (rateCount === undefined && at.line >= lines.length) return undefined;
  const rates: { hertz: string; endSample: number }[] = [];
  for (let rate = 0; rate < Math.max(1, Number(rateCount ?? 0)) && at.line < lines.length; rate++) {
    const [hertz = '', end = ''] = fields(next());
    looked++;
    if (isNumber(hertz) && /^\d+$/.test(end)) {
      good++;
      rates.push({ hertz, endSample: Number(end) });
    } else warnings.push('sample-rates: a rate is no number with a last sample');
  }
  if (rateCount === '0') warnings.push('no-sample-rate: times stand with the samples alone');
  const [start, trigger] = [next().trim(), next().trim()];
  looked += 2;
  for (const moment of [start, trigger]) if (MOMENT.test(moment)) good++;
  if (!MOMENT.test(start)) warnings.push('start-time: it is no date with a time');
  else if (isDayFirst(start) !== (revision !== 1991))
    warnings.push('date-order: day and month stand as in another revision, or cannot be told apart');
  const rawType = next().trim();
  const dataType = TYPES.get(rawType.toLowerCase());
  looked++;
  if (dataType === undefined) warnings.push(`data-type: ${JSON.stringify(rawType.slice(0, 20))} is none of the norm`);
  else {
    good++;
    if ((dataType === 'binary32' || dataType === 'float32') && revision !== 2013)
      warnings.push(`data-type: ${dataType} came with the revision of 2013`);
  }
  const multiplier = next().trim();
  if (revision !== 1991 && multiplier === '') warnings.push('time-multiplier: it is missing');
  const zones = next().trim();
  if (revision === 2013 && zones === '') warnings.push('time-code: it is missing');
  return {
    configuration: {
      revision,
      station: station.slice(0, 128),
      device: device.slice(0, 128),
      analogs,
      digitals,
      ...(dataType === undefined ? {} : { dataType }),
      lineFrequency: frequency.slice(0, 16),
      rates: rates.slice(0, 64),
      samples: rates.at(-1)?.endSample ?? 0,
      ...(MOMENT.test(start) ? { start } : {}),
      ...(MOMENT.test(trigger) ? { trigger } : {}),
      ...(dataType === undefined || dataType === 'ascii'
        ? {}
        : { recordBytes: recordBytes(dataType, analogs, digitals) }),
      channels: analogChannels.slice(0, 200),
      digitalNames: digitalChannels.slice(0, 200),
    },
    warnings,
    certainty: good / looked,
  };
}

/** Sample number and time of 4 bytes each, channels of 2 or 4, digitals in words of 16. */
export function recordBytes(type: 'binary' | 'binary32' | 'float32', analogs: number, digitals: number): number {
  return 8 + analogs * (type === 'binary' ? 2 : 4) + 2 * Math.ceil(digitals / 16);
}

const MOMENT = /^\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}\s*[,;]\s*\d{1,2}:\d{2}:\d{1,2}(?:\.\d{1,12})?$/;
/** Undecided counts as right. */
function isDayFirst(moment: string): boolean | undefined {
  const [one = 0, two = 0] = moment.split(/[/.-]/, 2).map(Number);
  return one > 12 ? true : two > 12 ? false : undefined;
}

const isNumber = (text: string | undefined): boolean =>
  text !== undefined && /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(text);
