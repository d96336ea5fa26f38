import { readFile } from 'node:fs/promises';
import { qualifiedName, quoteString } from '../../connectors/hive/hive.ts';
import { GridError } from '../../grid/errors.ts';
import type { ReportInput } from '../../workflows/report/contract.ts';

/** Times of event that any reading can have, milliseconds: the years 1970 to 9999. */
const EARLIEST_MS = 0;
const LATEST_MS = 253_402_300_800_000;

/**
 * The SQL of a report with its parameters. They are data: numbers that were checked, and texts as quoted literals.
 *
 * @param database Hive database of `readings_all`
 */
export async function reportStatement(input: ReportInput, database: string): Promise<string> {
  const sql = await readFile(new URL(`sql/${input.report}.sql`, import.meta.url), 'utf8');
  const values = valuesOf(input, database);
  return sql.trim().replaceAll(/\{\{(\w+)\}\}/g, (place, name: string) => {
    const value = values.get(name);
    if (value === undefined)
      throw new GridError('defect', `Reading the SQL of ${input.report}: nothing is known of ${place}.`);
    return value;
  });
}

function valuesOf(
  { from, to, sensors, steps, intervalSeconds }: ReportInput,
  database: string,
): ReadonlyMap<string, string> {
  const fromMs = from === undefined ? EARLIEST_MS : Date.parse(from);
  const toMs = to === undefined ? LATEST_MS : Date.parse(to);
  return new Map([
    ['readings', qualifiedName(database, 'readings_all')],
    ['selected', selected(fromMs, toMs, sensors)],
    ['from_ms', `${fromMs}L`],
    ['to_ms', `${toMs}L`],
    ['steps', String(steps)],
    ['intervalSeconds', String(intervalSeconds)],
  ]);
}

/** The days are said beside the times: they are what tables are divided by. */
function selected(fromMs: number, toMs: number, sensors: readonly string[]): string {
  const day = (ms: number): string => quoteString(new Date(ms).toISOString().slice(0, 10));
  const parts = [
    `event_ms >= ${fromMs} AND event_ms < ${toMs}`,
    ...(fromMs > EARLIEST_MS ? [`event_day >= ${day(fromMs)}`] : []),
    ...(toMs < LATEST_MS ? [`event_day <= ${day(toMs - 1)}`] : []),
    ...(sensors.length > 0 ? [`sensor_id IN (${sensors.map(quoteString).join(', ')})`] : []),
  ];
  return `(${parts.join(' AND ')})`;
}
