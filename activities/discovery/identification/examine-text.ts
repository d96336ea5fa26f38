import { join } from 'node:path';
import type { TelemetryFacts } from '../../../grid/legacy/telemetry-facts.ts';
import type { CharsetFinding } from './charset/detect.ts';
import { ContentKey, decodedPieces, decoderOf, LineCutter } from './reading/decoded.ts';
import { OutputFile, type OutputBudget } from './reading/output.ts';
import { findComtradeText } from './comtrade/find.ts';
import { findTable, type FoundTable } from './table/dialect.ts';
import { findFixedWidth } from './table/fixed-width.ts';
import { tableFinding } from './table/finding.ts';
import { telemetryColumns, type TelemetryColumns } from './telemetry/columns.ts';
import { TelemetryRows } from './telemetry/rows.ts';
import { findCode } from './text/code.ts';
import { findGridText, findSql } from './text/grid-text.ts';
import { findJournal } from './text/journal.ts';
import { findJson } from './text/json.ts';
import { findMail } from './text/mail.ts';
import { findProse } from './text/prose.ts';
import { sampleOf, type Finding, type TextSample } from './text/sample.ts';
import { findSettings } from './text/settings.ts';
import { findXml } from './text/xml.ts';

export interface ExaminedText {
  readonly findings: readonly Finding[];
  readonly textPath: string;
  readonly telemetryPath: string | undefined;
  readonly telemetry: TelemetryFacts | undefined;
  readonly contentKey: string;
  readonly warnings: readonly string[];
}

/** Finds out what a text is, writes it as UTF-8, and its readings where it is telemetry. */
export function examineText(
  descriptor: number,
  charset: Extract<CharsetFinding, { kind: 'text' }>,
  head: Buffer,
  isWhole: boolean,
  options: { readonly name: string | undefined; readonly workDirectory: string; readonly output: OutputBudget },
): ExaminedText {
  const decoder = decoderOf(charset.decoder);
  const decoded = decoder.write(head.subarray(charset.markBytes)) + (isWhole ? decoder.end() : '');
  // DOS ended texts with a character of its own.
  const sample = sampleOf(decoded.replace(/\p{Cc}+$/u, ''), isWhole);
  const findings: Finding[] = [];
  const add = (found: Finding | readonly Finding[] | undefined): void => {
    if (found !== undefined) findings.push(...[found].flat());
  };
  add(findComtradeText(sample));
  add(findJson(sample));
  add(findXml(sample));
  add(findMail(sample));
  add(findJournal(sample));
  add(findSettings(sample));
  add(findSql(sample));
  add(findGridText(sample));
  if (/^\{\\rtf/.test(sample.text))
    add({ detector: 'rich-text', found: 'a document of RTF', weight: 0.98, format: 'application/rtf' });
  const isStructured = findings.some(({ detector }) =>
    /^(?:json|xml|html|rich|sql|psse|matpower|comtrade-(?:cfg|cff))/.test(detector),
  );
  let table: FoundTable | undefined;
  let columns: TelemetryColumns | undefined;
  if (!isStructured) {
    add(findProse(sample));
    // Documents of programmers are full of code.
    if (!findings.some(({ detector, weight }) => detector === 'markdown' && weight > 0.6))
      add(findCode(withoutFences(sample)));
    if (!findings.some(({ detector }) => detector.startsWith('comtrade'))) {
      table = findTable(sample);
      columns = table === undefined ? undefined : telemetryColumns(table, options.name);
      if (table !== undefined) add(tableFinding(table, columns));
      else add(findFixedWidth(sample));
    }
  }
  const isTelemetry =
    columns !== undefined && findings.every(({ detector, weight }) => detector === 'telemetry' || weight < 0.97);
  return { findings, ...write(descriptor, charset, options, isTelemetry ? table : undefined, columns) };
}

/** Code that a document shows is not its own. */
function withoutFences(sample: TextSample): TextSample {
  return sample.text.includes('```') ? sampleOf(sample.text.replace(/```[^]*?```/g, ''), sample.isWhole) : sample;
}

function write(
  descriptor: number,
  charset: Extract<CharsetFinding, { kind: 'text' }>,
  { workDirectory, output }: { readonly workDirectory: string; readonly output: OutputBudget },
  table: FoundTable | undefined,
  columns: TelemetryColumns | undefined,
): Omit<ExaminedText, 'findings'> {
  const text = new OutputFile(join(workDirectory, 'text'), output);
  const readings =
    table === undefined || columns === undefined
      ? undefined
      : { table, columns, file: new OutputFile(join(workDirectory, 'telemetry.ndjson'), output) };
  const rows = readings === undefined ? undefined : new TelemetryRows(readings.table, readings.columns, readings.file);
  const cutter = new LineCutter((line) => rows?.take(line));
  const key = new ContentKey();
  for (const piece of decodedPieces(descriptor, charset.decoder, charset.markBytes)) {
    text.write(piece);
    key.write(piece);
    if (rows !== undefined) cutter.write(piece);
  }
  cutter.end();
  const telemetry = rows?.end();
  text.close();
  readings?.file.close();
  const warnings = [...charset.warnings];
  if (text.isTruncated) warnings.push('its text is too long to be written whole');
  if (telemetry?.zone === 'unknown') warnings.push('its times name no zone and were taken for UTC');
  return {
    textPath: text.path,
    telemetryPath: readings?.file.path,
    telemetry: telemetry === undefined ? undefined : { ...telemetry, isTruncated: readings?.file.isTruncated ?? false },
    contentKey: key.end(),
    warnings,
  };
}
