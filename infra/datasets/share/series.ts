import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Chance } from '../../../activities/discovery/identification/accuracy/chance.ts';

/** A quarter-hour: local time as it stands there, and the values with their digits. */
export interface SeriesRow {
  /** Moment as if it were UTC, epoch ms: to be written in other forms. */
  readonly timeMs: number;
  readonly values: readonly string[];
}

export interface SeriesMonth {
  /** 1 to 12. */
  readonly month: number;
  readonly names: readonly string[];
  readonly rows: readonly SeriesRow[];
}

const GENERATED = ['PV1', 'WP7', 'BM2', 'H0-A'];
const QUARTER_MS = 900_000;

/**
 * Some columns of a SimBench table, month by month, so that only one is held.
 *
 * @param most months
 */
export async function* simbenchMonths(
  file: string,
  columns: number,
  most = 12,
): AsyncGenerator<SeriesMonth, void, undefined> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  let names: readonly string[] | undefined;
  let rows: SeriesRow[] = [];
  let month = 0;
  for await (const line of lines) {
    const [time = '', ...values] = line.split(';', columns + 1);
    if (names === undefined) {
      names = values;
      continue;
    }
    const [, day = '', monthText = '', year = '', hour = '', minute = ''] =
      /^(\d\d)\.(\d\d)\.(\d{4}) (\d\d):(\d\d)$/.exec(time) ?? [];
    if (monthText === '') continue;
    if (Number(monthText) !== month) {
      if (rows.length > 0) yield { month, names, rows };
      rows = [];
      if (month >= most) return;
      month = Number(monthText);
    }
    rows.push({ timeMs: Date.UTC(Number(year), month - 1, Number(day), Number(hour), Number(minute)), values });
  }
  if (rows.length > 0 && names !== undefined) yield { month, names, rows };
}

/** Where there is no SimBench: daily waves with noise, the same every time. */
export function* generatedMonths(): Generator<SeriesMonth, void, undefined> {
  const chance = new Chance(7);
  for (let month = 1; month <= 12; month++) {
    const rows: SeriesRow[] = [];
    for (let timeMs = Date.UTC(2016, month - 1); timeMs < Date.UTC(2016, month); timeMs += QUARTER_MS) {
      const ofDay = (timeMs % 86_400_000) / 86_400_000;
      const values = GENERATED.map((_, column) =>
        (0.5 + 0.3 * Math.sin(2 * Math.PI * (ofDay + column / 4)) + 0.1 * chance.next()).toFixed(6),
      );
      rows.push({ timeMs, values });
    }
    yield { month, names: GENERATED, rows };
  }
}

/** A year of generation, as SimBench has it or generated. */
export async function* yearOfGeneration(
  simbenchDirectory: string | undefined,
): AsyncGenerator<SeriesMonth, void, undefined> {
  const file = simbenchDirectory === undefined ? '' : join(simbenchDirectory, 'scenario-0', 'RESProfile.csv');
  if (existsSync(file)) yield* simbenchMonths(file, 4);
  else yield* generatedMonths();
}
