import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import iconv from 'iconv-lite';
import { makeZip } from '../../../activities/discovery/identification/archive/zip-maker.ts';
import { simbenchMonths, yearOfGeneration, type SeriesMonth, type SeriesRow } from './series.ts';
import { two, type ShareFile } from './share-file.ts';

const DAY_MS = 86_400_000;
const LOAD_SERIES = 6;
/** Tables of SimBench's grid, and how many rows of each; there are 105,000 nodes. */
const GRID_TABLES = ['Node', 'Load', 'RES', 'PowerPlant', 'Substation', 'Line'];
const GRID_ROWS = 600;

const comma = (value: string): string => value.replace('.', ',');
const at = (timeMs: number): string => new Date(timeMs).toISOString();
const german = (timeMs: number): string => {
  const date = new Date(timeMs);
  return `${two(date.getUTCDate())}.${two(date.getUTCMonth() + 1)}.${date.getUTCFullYear()}`;
};
const clock = (timeMs: number): string => at(timeMs).slice(11, 16);
const american = (timeMs: number): string => {
  const date = new Date(timeMs);
  const hour = date.getUTCHours();
  return `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()} ${hour % 12 || 12}:${two(date.getUTCMinutes())} ${hour < 12 ? 'AM' : 'PM'}`;
};

const lines = (all: readonly string[], end = '\n'): string => `${all.join(end)}${end}`;

function plain({ names, rows }: Pick<SeriesMonth, 'names' | 'rows'>, written = (value: string) => value): string {
  return lines([
    ['time', ...names.map((name) => `${name} [p.u.]`)].join(';'),
    ...rows.map(({ timeMs, values }) => [`${german(timeMs)} ${clock(timeMs)}`, ...values.map(written)].join(';')),
  ]);
}

function daysOf(rows: readonly SeriesRow[]): readonly SeriesRow[][] {
  const days = new Map<number, SeriesRow[]>();
  for (const row of rows) {
    const day = Math.floor(row.timeMs / DAY_MS);
    days.set(day, [...(days.get(day) ?? []), row]);
  }
  return [...days.values()];
}

/** How each month's program wrote its table. */
const DIALECTS: readonly ((month: SeriesMonth) => readonly ShareFile[])[] = [
  (month) => [{ path: 'einspeisung_01.csv', bytes: plain(month) }],
  ({ names, rows }) => [
    {
      path: 'generation-2016-02.csv',
      bytes: lines([
        ['timestamp', ...names.map((name) => `${name} (p.u.)`)].join(','),
        ...rows.map(({ timeMs, values }) => [at(timeMs), ...values].join(',')),
      ]),
    },
  ],
  ({ names, rows }) => [
    {
      path: 'MAERZ.ASC',
      bytes: iconv.encode(
        lines(
          [
            'Messstelle:\tUmspannwerk Süd, Übergabe 3',
            'Gerät:\tZähler für Rückspeisung',
            '',
            ['Datum', 'Uhrzeit', ...names].join('\t'),
            ['', '', ...names.map(() => 'p.u.')].join('\t'),
            ...rows.map(({ timeMs, values }) =>
              [german(timeMs), `${clock(timeMs)}:00`, ...values.map(comma)].join('\t'),
            ),
          ],
          '\r\n',
        ),
        'cp850',
      ),
    },
  ],
  (month) => [{ path: 'April (Excel).txt', bytes: iconv.encode(plain(month, comma), 'utf-16le', { addBOM: true }) }],
  ({ names, rows }) => [
    {
      path: 'export_05.psv',
      bytes: lines([
        ['epoch_ms', ...names].join('|'),
        ...rows.map(({ timeMs, values }) => [String(timeMs), ...values].join('|')),
      ]),
    },
  ],
  ({ names, rows }) => [
    {
      path: 'historian_06.csv',
      bytes: lines([
        'sensor_id;timestamp;value;unit',
        ...rows.flatMap(({ timeMs, values }) =>
          names.map((name, column) => [name, at(timeMs), values[column] ?? '', 'p.u.'].join(';')),
        ),
      ]),
    },
  ],
  ({ names, rows }) => [
    {
      path: 'JULI.LST',
      bytes: lines([
        `${'time'.padEnd(18)}${names.map((name) => name.padStart(14)).join('')}`,
        ...rows.map(
          ({ timeMs, values }) =>
            `${at(timeMs).slice(0, 16).replace('T', ' ').padEnd(18)}${values.map((value) => value.padStart(14)).join('')}`,
        ),
      ]),
    },
  ],
  (month) => [{ path: 'einspeisung_08.csv.gz', bytes: gzipSync(plain(month)) }],
  ({ names, rows }) => [
    {
      path: 'sept export.csv',
      bytes: lines(
        [
          '# exported by SCADA archive',
          '# station: substation north',
          ['Time', ...names].map((name) => `"${name}"`).join(','),
          ...rows.map(({ timeMs, values }) => [american(timeMs), ...values].map((cell) => `"${cell}"`).join(',')),
        ],
        '\r\n',
      ),
    },
  ],
  ({ names, rows }) => [
    {
      path: 'oktober.zip',
      bytes: makeZip(
        daysOf(rows).map((day) => ({
          name: `${at(day[0]?.timeMs ?? 0).slice(0, 10)}.csv`,
          content: plain({ names, rows: day }),
        })),
      ),
    },
  ],
  // The same text twice: as it was, and as another program has saved it.
  (month) => [
    { path: 'november.csv', bytes: plain({ ...month, names: month.names.map((name) => `Erzeugung für ${name}`) }) },
    {
      path: 'november (gespeichert).csv',
      bytes: iconv.encode(
        plain({ ...month, names: month.names.map((name) => `Erzeugung für ${name}`) }).replaceAll('\n', '\r\n'),
        'windows1252',
      ),
    },
  ],
  // A file for each day, with a copy of the month in an archive within an archive.
  (month) => [
    ...daysOf(month.rows).map((day) => ({
      path: `Tage/${at(day[0]?.timeMs ?? 0)
        .slice(0, 10)
        .replaceAll('-', '')}.csv`,
      bytes: plain({ names: month.names, rows: day }),
    })),
    {
      path: 'Jahresabschluss.zip',
      bytes: makeZip([
        { name: 'liesmich.txt', content: 'The last month of the year, as it was handed over to the archive.\n' },
        { name: 'dezember.zip', content: makeZip([{ name: 'dezember.csv', content: plain(month) }]) },
      ]),
    },
  ],
];

/** A year of real series, each month in another dialect, and tables of the grid. */
export async function* measurementFiles(
  simbenchDirectory: string | undefined,
): AsyncGenerator<ShareFile, void, undefined> {
  for await (const month of yearOfGeneration(simbenchDirectory)) {
    for (const { path, bytes } of DIALECTS[month.month - 1]?.(month) ?? []) {
      yield { path: `Messwerte/Einspeisung/2016/${String(path)}`, bytes };
    }
  }
  if (simbenchDirectory === undefined) return;
  const load = join(simbenchDirectory, 'scenario-0', 'LoadProfile.csv');
  if (existsSync(load)) {
    for await (const month of simbenchMonths(load, LOAD_SERIES, 2)) {
      yield { path: `Messwerte/Last/load_2016_${two(month.month)}.csv`, bytes: plain(month) };
      yield { path: `Messwerte/Last/load_2016_${two(month.month)}.CSV.bak`, bytes: plain(month) };
    }
  }
  for (const [index, table] of GRID_TABLES.entries()) {
    const file = join(simbenchDirectory, 'scenario-0', `${table}.csv`);
    if (!existsSync(file)) continue;
    const rows = (await firstLines(file, GRID_ROWS)).map((row) => row.split(';'));
    const delimiter = [';', ',', '\t'][index % 3] ?? ';';
    yield {
      path: `Netzdaten/${table.toLowerCase()}.${delimiter === '\t' ? 'tab' : 'csv'}`,
      bytes: lines(rows.map((row) => row.map((cell) => quoted(cell, delimiter)).join(delimiter))),
    };
  }
}

function quoted(cell: string, delimiter: string): string {
  return cell.includes(delimiter) ? `"${cell}"` : cell;
}

async function firstLines(file: string, most: number): Promise<readonly string[]> {
  const found: string[] = [];
  const input = createReadStream(file);
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    found.push(line);
    if (found.length === most) break;
  }
  input.destroy();
  return found;
}
