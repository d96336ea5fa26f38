import type { Labelled } from './labelled-set.ts';
import { Chance } from './chance.ts';

const two = (number: number): string => String(number).padStart(2, '0');

type Writer = (date: Date) => readonly string[];
const TIMES: readonly (readonly [readonly string[], Writer])[] = [
  [['timestamp'], (date) => [date.toISOString()]],
  [
    ['Zeit'],
    (date) => [
      `${two(date.getUTCDate())}.${two(date.getUTCMonth() + 1)}.${date.getUTCFullYear()} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`,
    ],
  ],
  [
    ['Datum', 'Uhrzeit'],
    (date) => [
      `${two(date.getUTCDate())}.${two(date.getUTCMonth() + 1)}.${date.getUTCFullYear()}`,
      `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:00`,
    ],
  ],
  [['time'], (date) => [date.toISOString().slice(0, 19).replace('T', ' ')]],
  [['epoch_ms'], (date) => [String(date.getTime())]],
  [
    ['Time'],
    (date) => [
      `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()} ${date.getUTCHours() % 12 || 12}:${two(date.getUTCMinutes())} ${date.getUTCHours() < 12 ? 'AM' : 'PM'}`,
    ],
  ],
  [['DATE_TIME'], (date) => [date.toISOString().slice(0, 16).replace(/[-T:]/g, '')]],
];
const COLUMNS = [
  ['P [MW]', 'Q [Mvar]'],
  ['Wirkleistung (kW)', 'Spannung (V)', 'Strom (A)'],
  ['Active power [kW]'],
  ['U_L1 [V]', 'U_L2 [V]', 'U_L3 [V]', 'f [Hz]'],
  ['temperature (°C)', 'load [%]'],
] as const;

/** Telemetry in odd dialects: delimiters, quotes, decimal commas, preambles, rows of units, footers. */
export function telemetryTables(count: number, seed: number): readonly Labelled[] {
  const chance = new Chance(seed);
  return Array.from({ length: count }, (_, index) => {
    const delimiter = chance.of([',', ';', '\t', '|', ';', ',']);
    const decimal = delimiter === ',' ? '.' : chance.of(['.', ',']);
    const quote = chance.below(4) === 0 ? '"' : '';
    const [timeNames, write] = chance.of(TIMES);
    const isLong = chance.below(3) === 0;
    const columns: readonly string[] = isLong ? ['sensor_id', 'value', 'unit'] : chance.of(COLUMNS);
    const stepMinutes = chance.of([1, 5, 15, 60]);
    const rows = 8 + chance.below(200);
    const start = Date.UTC(2003 + chance.below(20), chance.below(12), 13 + chance.below(10));
    const number = (): string => (chance.next() * 400 - 20).toFixed(chance.of([1, 2, 3])).replace('.', decimal);
    const line = (cells: readonly string[]): string => cells.map((cell) => `${quote}${cell}${quote}`).join(delimiter);
    const lines: string[] = [];
    const preamble = chance.below(4);
    if (preamble === 1) lines.push('# exported by SCADA archive', `# station: UW ${index}, northern bay`, '');
    if (preamble === 2) lines.push(`Messstelle: ${index}${delimiter}${delimiter}`, 'Export der Messwerte');
    const noHeader = !isLong && chance.below(10) === 0 && columns.length > 1;
    if (!noHeader) {
      if (!isLong && chance.below(3) === 0) {
        lines.push(line([...timeNames, ...columns.map((name) => name.replace(/ [[(].*/, ''))]));
        lines.push(line([...timeNames.map(() => ''), ...columns.map((name) => /[[(](.*)[\])]/.exec(name)?.[1] ?? '')]));
      } else lines.push(line([...timeNames, ...columns]));
    }
    for (let row = 0; row < rows; row++) {
      const date = new Date(start + row * stepMinutes * 60_000);
      const cells = isLong
        ? [`S${row % 3}`, number(), 'MW']
        : columns.map(() => (chance.below(40) === 0 ? '' : number()));
      lines.push(
        line([...write(isLong ? new Date(start + Math.floor(row / 3) * stepMinutes * 60_000) : date), ...cells]),
      );
    }
    if (chance.below(6) === 0) lines.push(`Summe${delimiter}${columns.map(number).join(delimiter)}`);
    const end = chance.of(['\n', '\r\n']);
    return { label: 'telemetry', bytes: Buffer.from(`${lines.join(end)}${end}`), delimiter };
  });
}

const WORDS = [
  'Umspannwerk',
  'north',
  'Trafo 4',
  'O’Brien',
  'cable, overhead',
  'Erdkabel; alt',
  'A "small" one',
  'Kreis|Ring',
  'plain',
  'Süd',
  'n/a',
  '',
];

/** Tables without times: registers, lists of equipment, profiles. */
export function plainTables(count: number, seed: number): readonly Labelled[] {
  const chance = new Chance(seed);
  return Array.from({ length: count }, () => {
    const delimiter = chance.of([',', ';', '\t', '|']);
    const rows = 5 + chance.below(80);
    const kinds = Array.from({ length: 2 + chance.below(7) }, (_, column) =>
      column === 0 ? 'id' : chance.of(['word', 'number', 'code', 'number']),
    );
    const quoted = (cell: string): string =>
      cell.includes(delimiter) || cell.includes('"') || chance.below(12) === 0
        ? `"${cell.replaceAll('"', '""')}"`
        : cell;
    const cell = (kind: string, row: number): string => {
      if (kind === 'id') return String(1_000 + row);
      if (kind === 'number')
        return (chance.next() * 1_000).toFixed(2).replace('.', delimiter === ',' ? '.' : chance.of([',']));
      return kind === 'code' ? `X-${chance.below(99)}` : chance.of(WORDS);
    };
    const lines = [kinds.map((kind, column) => `${kind}_${column}`).join(delimiter)];
    for (let row = 0; row < rows; row++) lines.push(kinds.map((kind) => quoted(cell(kind, row))).join(delimiter));
    return { label: 'table', bytes: Buffer.from(`${lines.join('\n')}\n`), delimiter };
  });
}
