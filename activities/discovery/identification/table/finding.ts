import type { TelemetryColumns } from '../telemetry/columns.ts';
import type { Finding } from '../text/sample.ts';
import { isNumeric } from '../text/cell-types.ts';
import type { FoundTable } from './dialect.ts';

const NAMES = new Map([
  ['\t', 'tab'],
  [' ', 'white space'],
]);
const USUAL = new Set([',', ';', '\t', '|']);
/** Columns beyond these are counted, not told. */
const MOST_COLUMNS = 200;

/** What a table says: how its cells are told apart, whether it is telemetry or a journal of events. */
export function tableFinding(table: FoundTable, columns: TelemetryColumns | undefined): readonly Finding[] {
  const { dialect, rows } = table;
  const { delimiter } = dialect;
  const name = NAMES.get(delimiter) ?? delimiter;
  const facts = {
    dialect: {
      delimiter,
      quote: dialect.quote ?? '',
      decimal: dialect.decimal,
      preambleLines: dialect.preambleLines,
      headerRows: dialect.headerRows,
      footerRows: dialect.footerRows,
    },
    columnCount: dialect.columns.length,
    columns: dialect.columns
      .slice(0, MOST_COLUMNS)
      .map(({ name: title, unit, type }) => ({ name: title.slice(0, 128), unit, type })),
  };
  const format = delimiter === '\t' ? 'text/tab-separated-values' : delimiter === ' ' ? 'text/x-columns' : 'text/csv';
  const typed = dialect.columns.filter(({ type }) => isNumeric(type) || type === 'time').length;
  const weight =
    Math.min(0.95, dialect.score + (typed > 0 && USUAL.has(delimiter) ? 0.15 : 0) + (rows.length >= 10 ? 0.05 : 0)) *
    (USUAL.has(delimiter) ? 1 : 0.9);
  const found = `${rows.length} rows of ${dialect.columns.length} cells, parted by ${name}`;
  const findings: Finding[] = [{ detector: 'table', found, weight, format, facts }];
  if (columns !== undefined) {
    const sure = 0.72 + 0.06 * Math.min(4, columns.signs.length) + (rows.length >= 4 ? 0.03 : -0.05);
    findings.push({
      detector: 'telemetry',
      found: `a column of times, ${columns.valueColumns.length} of values; ${columns.signs.join('; ')}`,
      weight: sure * Math.min(1, 0.45 + weight * 0.65),
      format,
      facts,
    });
  } else if (isJournal(table)) {
    findings.push({
      detector: 'table-of-events',
      found: 'a column of times, and words',
      weight: Math.min(0.9, weight + 0.05),
      format,
      facts,
    });
  }
  return findings;
}

const EVENT_WORDS =
  /event|ereignis|meldung|message|alarm|state|status|zustand|severity|level|text|description|beschreibung|action|fault|störung/i;

/** Each row has a moment with its time of day, and mostly words. */
function isJournal({ dialect, rows }: FoundTable): boolean {
  const time = dialect.columns.findIndex(({ type }) => type === 'time');
  if (time < 0 || rows.length < 2) return false;
  const clocked = rows.filter((row) => /\d:\d\d/.test(row.join(' '))).length;
  const words = dialect.columns.filter(({ type }) => type === 'word' || type === 'text').length;
  const numbers = dialect.columns.filter(({ type }) => isNumeric(type)).length;
  const isNamed = dialect.columns.some(({ name }) => EVENT_WORDS.test(name));
  return (
    clocked > rows.length * 0.8 &&
    words >= numbers &&
    words > 0 &&
    (isNamed || dialect.columns.some(({ type }) => type === 'text'))
  );
}
