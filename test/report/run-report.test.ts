import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportResult } from '../../workflows/report/contract.ts';
import { failureOf } from '../support/job-failure.ts';
import { QueryBed } from '../query/query-bed.ts';
import { byDay, knownReadings, makeReadings, type KnownReading } from './known-readings.ts';

const DAY_MS = 86_400_000;
const readings = knownReadings();
const measured = byDay(readings, 'real_time');

let bed: QueryBed;

beforeAll(async () => {
  bed = await QueryBed.open();
  await makeReadings(bed, readings);
});
afterAll(() => bed.close());

type Row = Readonly<Record<string, string | number | null>>;

interface Reported {
  readonly result: ReportResult;
  readonly rows: readonly Row[];
}

async function report(input: unknown): Promise<Reported> {
  const handle = await bed.start({ ...(input as object), format: 'jsonl' }, 'runReport');
  const result = (await handle.result()) as ReportResult;
  const lines = (await bed.text(result.path)).split('\n').slice(0, -1);
  return { result, rows: lines.map((line) => JSON.parse(line) as Row) };
}

/** By sensor, unit and day. */
function keyed(rows: readonly Row[]): ReadonlyMap<string, Row> {
  return new Map(rows.map((row) => [[row['sensor_id'], row['unit'], row['event_day']].join('|'), row]));
}

function numbers(some: readonly KnownReading[]): number[] {
  return some.map(({ text }) => Number(text));
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

describe('a report', () => {
  it('says of each day the peak and the low, and when', async () => {
    const { rows, result } = await report({});
    expect(result).toMatchObject({ report: 'peak-per-day', rows: measured.size, parameters: {} });
    const found = keyed(rows);
    for (const [key, day] of measured) {
      const values = numbers(day);
      const peak = Math.max(...values);
      const low = Math.min(...values);
      expect(found.get(key), key).toMatchObject({
        ...{ peak, low, readings: day.length },
        peak_at: timeText(day[values.indexOf(peak)]?.ms ?? 0),
        low_at: timeText(day[values.indexOf(low)]?.ms ?? 0),
      });
    }
  });

  it('adds up the load of each day', async () => {
    const from = '2024-02-28T00:00:00Z';
    const { rows, result } = await report({ report: 'daily-load', from, to: '2024-03-02', sensors: ['6', "o'7"] });
    expect(result.parameters).toEqual({ from, to: '2024-03-02', sensors: ['6', "o'7"] });
    const expected = [...measured].filter(([key]) => !key.endsWith('2024-03-02') && !key.endsWith('2024-03-03'));
    expect(rows).toHaveLength(expected.length);
    const found = keyed(rows);
    for (const [key, day] of expected) {
      const values = numbers(day);
      const [{ ms: firstMs }] = day as [KnownReading];
      const endMs = Math.floor(firstMs / DAY_MS) * DAY_MS + DAY_MS;
      const energy = day.reduce((sum, { text, ms }, at) => sum + Number(text) * ((day[at + 1]?.ms ?? endMs) - ms), 0);
      const row = found.get(key);
      expect(row, key).toMatchObject({
        ...{ readings: day.length, least: Math.min(...values), greatest: Math.max(...values) },
      });
      expect(row?.['mean']).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 9);
      expect(row?.['energy_unit_hours']).toBeCloseTo(energy / 3_600_000, 6);
    }
  });

  it('draws the duration curve', async () => {
    const { rows } = await report({ report: 'duration-curve', sensors: ['6'], steps: 4 });
    const values = numbers(readings.filter(({ sensor, aspect }) => sensor === '6' && aspect === 'real_time'));
    values.sort((a, b) => b - a);
    expect(rows.map((row) => [row['share_percent'], row['value'], row['readings']])).toEqual(
      [0, 1, 2, 3, 4].map((step) => [step * 25, values[Math.floor((step * (values.length - 1)) / 4)], values.length]),
    );
  });

  it('says how complete each day is', async () => {
    const { rows } = await report({ report: 'completeness', sensors: ['6', "o'7"] });
    const found = keyed(rows);
    // A day without readings is told too.
    expect(found.get("o'7||2024-02-29")).toMatchObject({ readings: 0, expected: 12, complete_percent: 0 });
    expect(found.get("o'7||2024-02-28")).toMatchObject({ readings: 12, expected: 12, complete_percent: 100 });
    expect(found.get("o'7||2024-02-28")).toMatchObject({ cadence_seconds: 7200, longest_gap_seconds: 26 * 3600 });
    expect(found.get('6|MW|2024-03-01')).toMatchObject({
      ...{ readings: 20, expected: 24, cadence_seconds: 3600, longest_gap_seconds: 5 * 3600 },
    });
    expect(found.get('6|MW|2024-03-01')?.['complete_percent']).toBeCloseTo((100 * 20) / 24, 9);
    expect(rows).toHaveLength(10);
    const halfDay = await report({
      report: 'completeness',
      sensors: ['6'],
      from: '2024-03-02T12:00:00Z',
      to: '2024-03-03',
    });
    expect(halfDay.rows).toMatchObject([{ event_day: '2024-03-02', readings: 12, expected: 12 }]);
  });

  it('compares forecasts with measurements', async () => {
    const { rows, result } = await report({ report: 'forecast-error', intervalSeconds: 3600 });
    const found = keyed(rows);
    const forecasts = byDay(readings, 'edge_prediction');
    expect(rows).toHaveLength(forecasts.size);
    const hour = ({ ms }: KnownReading): number => Math.floor(ms / 3_600_000);
    const mean = (some: readonly number[]): number => some.reduce((sum, each) => sum + each, 0) / some.length;
    for (const [key, day] of forecasts) {
      const errors = day.flatMap((forecast) => {
        const met = (measured.get(key) ?? []).filter((reading) => hour(reading) === hour(forecast));
        return met.length === 0 ? [] : [Number(forecast.text) - mean(numbers(met))];
      });
      const row = found.get(key);
      expect(row?.['intervals'], key).toBe(errors.length);
      expect(row?.['mae']).toBeCloseTo(mean(errors.map(Math.abs)), 9);
      expect(row?.['rmse']).toBeCloseTo(Math.sqrt(mean(errors.map((error) => error * error))), 9);
      expect(row?.['bias']).toBeCloseTo(mean(errors), 9);
    }
    // It is kept, as it was answered.
    const { report: name, rows: count, path, firstRows } = result;
    expect((await bed.kept('reports')).at(-1)).toMatchObject({ report: name, rows: count, path, firstRows });
    expect((await bed.kept()).at(-1)).toMatchObject({ job: 'runReport', outcome: 'completed', rows: count });
  });
});

it('that is asked wrongly is told so in one sentence', async () => {
  const refused = [
    [{ report: 'peaks' }, 'report: must be one of peak-per-day, daily-load'],
    [{ from: '2024-02-30x' }, 'from: must be a date'],
    [{ from: '2024-03-02', to: '2024-03-01' }, 'to: must be later than from'],
    [{ sensors: [''] }, 'sensors.0: '],
    [{ report: 'duration-curve', steps: 0 }, 'steps: '],
    [{ sensor: '6' }, 'sensor'],
  ] as const;
  for (const [input, sentence] of refused) {
    const failure = await failureOf((await bed.start(input, 'runReport')).result());
    expect(failure).toMatchObject({ code: 'invalid-input', message: expect.stringContaining(sentence) as string });
  }
  // Parameters are data.
  const { result } = await report({ sensors: ["x') OR 1=1 --", '${env:PATH}'] });
  expect(result.rows).toBe(0);
});
