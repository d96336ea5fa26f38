import type { Finding, TextSample } from '../text/sample.ts';
import { parseConfiguration } from './configuration.ts';
import { asciiData, binaryData } from './data.ts';

const SECTION =
  /^\s*---\s*file type:\s*(CFG|INF|HDR|DAT(?:\s+(?:ASCII|BINARY(?:32)?|FLOAT32))?)\s*(?:(?::\s*(\d+))\s*)?---\s*$/i;
const INF_SECTION =
  /^\s*\[(?:Public|Private)\s+(?:Record_Information|Event_Information|File_Description|Analog_Channel|Status_Channel|[\w .#-]{1,60})/i;

/** A configuration, data in ASCII, information, or all in a single file. */
export function findComtradeText(sample: TextSample): Finding | undefined {
  const { lines } = sample;
  return findSingleFile(lines) ?? findConfiguration(lines) ?? findInformation(lines) ?? findAscii(sample);
}

function findConfiguration(lines: readonly string[]): Finding | undefined {
  const parsed = parseConfiguration(lines.slice(0, 110_000));
  if (parsed === undefined || parsed.certainty < 0.6) return undefined;
  const { configuration, warnings, certainty } = parsed;
  const { revision, analogs, digitals, dataType } = configuration;
  // Its type of data and its times are said nowhere else in this way.
  const isSure = dataType !== undefined || configuration.start !== undefined;
  if (!isSure) return undefined;
  return {
    detector: 'comtrade-cfg',
    found: `a configuration of ${revision} with ${analogs} analog and ${digitals} digital channels${dataType === undefined ? '' : `, data in ${dataType}`}`,
    weight: Math.min(0.99, 0.4 + certainty * 0.59),
    format: `comtrade-${revision}/cfg`,
    facts: { comtrade: { part: 'cfg', configuration } },
    warnings,
  };
}

function findInformation(lines: readonly string[]): Finding | undefined {
  const sections = lines.filter((line) => INF_SECTION.test(line)).length;
  const isKnown = lines.some((line) =>
    /^\s*\[(?:Public)\s+(?:Record_Information|Event_Information|File_Description|Analog_Channel_#?|Status_Channel_#?)/i.test(
      line,
    ),
  );
  if (sections === 0 || !isKnown) return undefined;
  return {
    detector: 'comtrade-inf',
    found: `${sections} sections of an information file`,
    weight: 0.97,
    format: 'comtrade/inf',
    facts: { comtrade: { part: 'inf' } },
  };
}

function findAscii(sample: TextSample): Finding | undefined {
  const data = asciiData(sample.lines, sample.isWhole);
  if (data === undefined) return undefined;
  const { startsAtOne, ...facts } = data;
  // A numbered table of whole numbers is the same without the second column being a time.
  const times = sample.lines.slice(0, 400).map((line) => Number(line.split(',', 2)[1]));
  const steps = new Set(times.slice(1).map((time, index) => time - (times[index] ?? 0)));
  const isClock = times[0] === 0 || steps.size <= Math.max(3, times.length / 20);
  const rises = times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0));
  if (!startsAtOne || !isClock || !rises) return undefined;
  return {
    detector: 'comtrade-dat',
    found: `${data.samples} samples numbered one by one, with times, of ${data.width - 2} values`,
    weight: data.samples >= 8 ? 0.93 : 0.8,
    format: 'comtrade/dat-ascii',
    facts: { comtrade: { part: 'dat', data: facts } },
  };
}

/** The norm's file of everything: sections after lines that name them. */
function findSingleFile(lines: readonly string[]): Finding | undefined {
  const heads = lines.flatMap((line, index) => {
    const match = SECTION.exec(line);
    return match === null
      ? []
      : [{ type: (match[1] ?? '').toUpperCase().replace(/\s+/g, ' '), line: index, bytes: match[2] }];
  });
  const configuration = heads.find(({ type }) => type === 'CFG');
  if (configuration === undefined) return undefined;
  const end = heads.find(({ line }) => line > configuration.line)?.line ?? lines.length;
  const parsed = parseConfiguration(lines.slice(configuration.line + 1, end));
  const data = heads.find(({ type }) => type.startsWith('DAT'));
  const warnings = [
    ...(parsed?.warnings ?? ['configuration: it cannot be read']),
    ...(data === undefined ? ['data-section: it is missing'] : []),
    ...(data !== undefined &&
    parsed?.configuration.dataType !== undefined &&
    data.type !== `DAT ${parsed.configuration.dataType.toUpperCase()}`
      ? [`data-type: the section says ${data.type}, the configuration ${parsed.configuration.dataType}`]
      : []),
  ];
  return {
    detector: 'comtrade-cff',
    found: `a single file with sections ${heads
      .map(({ type }) => type)
      .slice(0, 8)
      .join(', ')}`,
    weight: parsed === undefined ? 0.85 : 0.99,
    format: `comtrade-${parsed?.configuration.revision ?? 2013}/cff`,
    facts: {
      comtrade: {
        part: 'cff',
        sections: heads.map(({ type }) => type).slice(0, 8),
        ...(parsed === undefined ? {} : { configuration: parsed.configuration }),
      },
    },
    warnings,
  };
}

/** A single file with a section of binary data, so that it is no text. */
export function findMixedComtrade(head: Buffer): Finding | undefined {
  const text = head.toString('latin1');
  return /^(?:ï»¿)?\s*---\s*file type:/i.test(text.slice(0, 200))
    ? findSingleFile(text.split(/\r\n|\n|\r/, 120_000))
    : undefined;
}

/** Data in binary. */
export function findComtradeBinary(head: Buffer, size: number): Finding | undefined {
  const data = binaryData(head, size);
  if (data === undefined) return undefined;
  return {
    detector: 'comtrade-dat',
    found: `${data.samples} records of ${data.width} bytes, numbered one by one, with times`,
    weight: data.samples >= 8 ? 0.96 : 0.8,
    format: 'comtrade/dat-binary',
    facts: { comtrade: { part: 'dat', data } },
    ...(data.isWhole ? {} : { warnings: ['last-record: it is cut'] }),
  };
}
