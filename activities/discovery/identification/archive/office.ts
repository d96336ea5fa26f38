import { SaxesParser } from 'saxes';
import { OutputFile, type OutputBudget } from '../reading/output.ts';
import type { OpenZip } from './zip.ts';

/** A kind of document that is a zip of XML. */
export interface OfficeKind {
  readonly class: 'document' | 'spreadsheet';
  readonly format: string;
  /** Entries whose text is the document's. */
  readonly parts: RegExp;
}

const KINDS: readonly { readonly has: string; readonly kind: OfficeKind }[] = [
  {
    has: 'word/document.xml',
    kind: {
      class: 'document',
      format: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      parts: /^word\/(?:document|footnotes|header\d*|footer\d*)\.xml$/,
    },
  },
  {
    has: 'xl/workbook.xml',
    kind: {
      class: 'spreadsheet',
      format: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
      parts: /^xl\/(?:sharedStrings|workbook|worksheets\/sheet\d+)\.xml$/,
    },
  },
  {
    has: 'ppt/presentation.xml',
    kind: {
      class: 'document',
      format: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
      parts: /^ppt\/slides\/slide\d+\.xml$/,
    },
  },
];

/** What the names of a zip's entries say that it is; undefined: an archive like any other. */
export async function officeKind(zip: OpenZip): Promise<OfficeKind | undefined> {
  const names = new Map(zip.entries.map((entry) => [entry.name, entry]));
  const found = KINDS.find(({ has }) => names.has(has));
  if (found !== undefined) return found.kind;
  const mimetype = names.get('mimetype');
  if (mimetype === undefined || (!names.has('META-INF/manifest.xml') && !names.has('META-INF/container.xml')))
    return undefined;
  let type = '';
  for await (const chunk of zip.open(mimetype) as AsyncIterable<Buffer>) {
    type += chunk.toString('latin1');
    if (type.length > 200) return undefined;
  }
  const format = type.trim();
  if (format === 'application/epub+zip') return { class: 'document', format, parts: /\.x?html$/ };
  if (!format.startsWith('application/vnd.oasis.opendocument.')) return undefined;
  return { class: format.includes('spreadsheet') ? 'spreadsheet' : 'document', format, parts: /^content\.xml$/ };
}

/** Elements after which a line ends. */
const BREAKS = new Set([
  'w:p',
  'a:p',
  'text:p',
  'text:h',
  'si',
  'row',
  'table:table-row',
  'p',
  'h1',
  'h2',
  'h3',
  'li',
  'tr',
]);
/** Elements whose text is none of the document's. */
const SILENT = new Set(['script', 'style', 'f']);
const MOST_PART_BYTES = 64 << 20;

/** Writes the text of an office document, a paragraph a line. @returns sheets, where it names them */
export async function writeOfficeText(
  zip: OpenZip,
  kind: OfficeKind,
  path: string,
  budget: OutputBudget,
): Promise<{ readonly sheets: readonly string[]; readonly warnings: readonly string[] }> {
  const output = new OutputFile(path, budget);
  const sheets: string[] = [];
  const warnings: string[] = [];
  for (const entry of zip.entries) {
    if (!kind.parts.test(entry.name) || entry.isEncrypted) continue;
    const parser = new SaxesParser({ xmlns: false });
    let silent = 0;
    let failed: string | undefined;
    parser.on('error', (error) => {
      failed ??= error.message.slice(0, 120);
    });
    parser.on('opentag', ({ name, attributes }) => {
      if (SILENT.has(name)) silent++;
      if ((name === 'sheet' || name === 'table:table') && sheets.length < 1_000)
        sheets.push((attributes['name'] ?? attributes['table:name'] ?? '').slice(0, 128));
    });
    parser.on('text', (text) => {
      if (silent === 0) output.write(text);
    });
    parser.on('closetag', ({ name }) => {
      if (SILENT.has(name)) silent--;
      if (BREAKS.has(name)) output.write('\n');
      else if (name === 'c' || name === 'table:table-cell' || name === 'w:tab') output.write('\t');
    });
    let bytes = 0;
    const decoder = new TextDecoder();
    try {
      for await (const chunk of zip.open(entry) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MOST_PART_BYTES || failed !== undefined) break;
        parser.write(decoder.decode(chunk, { stream: true }));
      }
    } catch (error) {
      failed ??= String(error).slice(0, 120);
    }
    if (bytes > MOST_PART_BYTES) warnings.push(`${entry.name} is too long to be read whole`);
    if (failed !== undefined) warnings.push(`${entry.name}: ${failed}`);
  }
  output.close();
  return { sheets, warnings };
}
