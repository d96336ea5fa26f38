import { isNumeric } from '../text/cell-types.ts';
import { momentOf, timeParts, type DateOrder, type TimeFormat } from '../text/times.ts';
import { isUnitText, type FoundTable } from '../table/dialect.ts';

/** How a table tells readings. */
export interface TelemetryColumns {
  readonly timeColumns: readonly number[];
  readonly format: TimeFormat;
  readonly zone: 'in-text' | 'utc' | 'offset' | 'unknown';
  /** Column that names the sensor; undefined: each column of values is one, or the whole file. */
  readonly sensorColumn: number | undefined;
  readonly unitColumn: number | undefined;
  readonly valueColumns: readonly { readonly column: number; readonly name: string; readonly unit: string }[];
  readonly fileSensor: { readonly id: string; readonly from: string } | undefined;
  readonly aspect: 'real_time' | 'edge_prediction';
  /** What speaks for its being telemetry rather than another table with times in it, clauses for people. */
  readonly signs: readonly string[];
}

const TIME_NAME =
  /^(?:.*[ _])?(?:time|zeit|uhrzeit|datum|date|datetime|timestamp|ts|zeitstempel|zeitpunkt|utc|epoch|moment|fecha|hora|heure|data|czas|when|t)(?:[ _].*)?$|time|zeit/i;
const SENSOR_NAME =
  /^(?:sensor|station|meter|device|id|tag|point|signal|messstelle|zähler|zaehler|messpunkt|bus|node|feeder|channel|kanal|name|asset|geraet|gerät|location|substation|line|unit_id|source|series|key|variable|parameter|measurement)(?:[ _-]?(?:id|name|nr|no|number|nummer|code))?$/i;
const UNIT_NAME = /^(?:unit|units|einheit|uom|dimension|unidad|unité)$/i;
const VALUE_NAME =
  /^(?:value|values|val|wert|messwert|reading|measurement|modality|valor|valeur|y|data|amount|result)$/i;
const STATUS_NAME =
  /quality|status|flag|valid|qual|code|^(?:nr|no|id|row|index|idx|lfd|line|seq|sequence|record|#|n|year|month|day|hour|minute|second|weekday|jahr|monat|tag)\.?$/i;
const GRID_WORDS =
  /power|leistung|spannung|voltage|strom|current|freq|energy|energie|kwh|mwh|last|load|sensor|meter|zähler|zaehler|feeder|trafo|transformer|substation|umspannwerk|netz|grid|einspeisung|pv|wind|solar|temperatur|temperature|cos ?phi|reactive|blind|wirk|active|tension|courant|potencia|puissance|\b[UIPQSV][_ ]?(?:L?[123]{1,2}|[abcn]{1,2}|rms)?\b/i;
const ELECTRIC = /^[kMGm]?(?:W|Wh|VA|VAh|var|VAr|V|A|Hz)$/;
const SENSOR_LINE =
  /^[\s#%;*/!'"]{0,20}(?:sensor|station|meter|device|zähler|zaehler|messstelle|zählpunkt|zaehlpunkt|metering ?point|tag|point|feeder|asset|kanal|channel|anlage|serial)(?:[ _-]?(?:id|name|nr|no|number|nummer|code|bezeichnung))?\.? {0,9}[:=;,\t]([^\t;,]{1,120})/i;
const ZONE_LINE = /\b(UTC|GMT)(?:\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?)?\b/;
const FORECAST = /forecast|prognose|predict|vorhersage|day.?ahead|schedule[d]?\b|fahrplan/i;

/** @returns undefined: no column of times, or none of values */
export function telemetryColumns(table: FoundTable, name: string | undefined): TelemetryColumns | undefined {
  const { columns } = table.dialect;
  const time = timeColumnsOf(table);
  if (time === undefined) return undefined;
  const isTime = (column: number): boolean => time.columns.includes(column);
  const unitColumn = columns.findIndex(({ name: title, type }, column) => {
    if (isTime(column) || isNumeric(type)) return false;
    return (
      UNIT_NAME.test(title) || (type === 'word' && table.rows.every((row) => isUnitText((row[column] ?? '').trim())))
    );
  });
  const sensorColumn = sensorColumnOf(table, [...time.columns, unitColumn]);
  const numeric = columns.flatMap((column, index) =>
    isNumeric(column.type) && !isTime(index) && index !== sensorColumn && numericShare(table, index) > 0.8
      ? [{ ...column, index }]
      : [],
  );
  const named = numeric.filter(({ name: title }) => !STATUS_NAME.test(title) || VALUE_NAME.test(title));
  const values = named.filter(({ index }) => !isCounter(table, index));
  if (values.length === 0) return undefined;
  const texts = columns.filter(
    ({ type }, index) => (type === 'text' || type === 'word') && index !== sensorColumn && index !== unitColumn,
  ).length;
  // A journal of events has a number here and there.
  if (texts > values.length) return undefined;

  const headline = [...table.preamble, ...columns.map(({ name: title }) => title)].join('\n');
  const signs: string[] = [];
  const units = values.map(({ unit }) => unit).filter((unit) => isUnitText(unit));
  if (units.length > 0) signs.push(`units ${[...new Set(units)].slice(0, 4).join(', ')}`);
  if (unitColumn >= 0) signs.push('a column of units');
  if (sensorColumn !== undefined && SENSOR_NAME.test(columns[sensorColumn]?.name ?? ''))
    signs.push(`a column ${columns[sensorColumn]?.name ?? ''}`);
  const word = GRID_WORDS.exec(headline)?.[0];
  if (word !== undefined) signs.push(`the word ${word}`);
  const step = regularStep(table, time, sensorColumn);
  if (step !== undefined) signs.push(`a reading every ${step} s`);
  const isSubDaily = step !== undefined && step < 86_400;
  // Recorded when a value changed: what is electric goes on in time, however unevenly.
  const isElectric = units.some((unit) => ELECTRIC.test(unit)) && goesForward(table, time);
  const strong = units.length > 0 || unitColumn >= 0 || word !== undefined;
  if (!(
    isSubDaily ||
    (strong && (step !== undefined || sensorColumn !== undefined || isElectric || table.rows.length < 4))
  ))
    return undefined;
  if (step === undefined && !strong) return undefined;

  const fileSensor = sensorColumn === undefined ? fileSensorOf(table.preamble, values.length, name) : undefined;
  return {
    timeColumns: time.columns,
    format: time.format,
    zone: time.zone,
    sensorColumn,
    unitColumn: unitColumn < 0 ? undefined : unitColumn,
    valueColumns: values.map(({ index, name: title, unit }) => ({
      column: index,
      name: title,
      unit: isUnitText(unit) ? unit : '',
    })),
    fileSensor,
    aspect: FORECAST.test(headline) ? 'edge_prediction' : 'real_time',
    signs,
  };
}

interface TimeColumns {
  readonly columns: readonly number[];
  readonly format: TimeFormat;
  readonly zone: TelemetryColumns['zone'];
}

function timeColumnsOf(table: FoundTable): TimeColumns | undefined {
  const { columns } = table.dialect;
  const named = zoneNamed([...table.preamble, ...columns.map(({ name, unit }) => `${name} ${unit}`)]);
  for (const [index, { type }] of columns.entries()) {
    if (type !== 'time') continue;
    const cells = table.rows.map((row) => (row[index] ?? '').trim());
    const parts = cells.map(timeParts);
    const dated = parts.filter((each) => each?.date !== undefined).length;
    if (dated < cells.length * 0.9) continue;
    const clocked = parts.filter((each) => each?.clock !== undefined).length;
    const clockColumn = clocked > 0 ? undefined : clockColumnOf(table, index);
    const found = clockColumn === undefined ? [index] : [index, clockColumn];
    const order = dateOrderOf(table, found);
    if (order === undefined) continue;
    const hasZone = parts.filter((each) => each?.zone !== undefined).length > cells.length * 0.9;
    return {
      columns: found,
      format: { kind: 'calendar', order, offsetSeconds: named ?? 0 },
      zone: hasZone ? 'in-text' : named === undefined ? 'unknown' : named === 0 ? 'utc' : 'offset',
    };
  }
  return numberTimesOf(table);
}

function clockColumnOf(table: FoundTable, date: number): number | undefined {
  for (const column of [date + 1, date - 1]) {
    if (table.dialect.columns[column]?.type !== 'time') continue;
    const parts = table.rows.map((row) => timeParts((row[column] ?? '').trim()));
    if (parts.filter((each) => each?.date === undefined && each?.clock !== undefined).length >= parts.length * 0.9)
      return column;
  }
  return undefined;
}

/** The order under which all dates exist; of two, that under which time goes on evenly. */
function dateOrderOf(table: FoundTable, columns: readonly number[]): DateOrder | undefined {
  const [date = 0, clock] = columns;
  const possible = (['ymd', 'dmy', 'mdy'] as const).filter((order) => {
    const format: TimeFormat = { kind: 'calendar', order, offsetSeconds: 0 };
    const good = table.rows.filter(
      (row) => momentOf(row[date] ?? '', clock === undefined ? undefined : (row[clock] ?? ''), format) !== undefined,
    );
    return good.length >= table.rows.length * 0.9;
  });
  if (possible.length < 2) return possible[0];
  const spreads = possible.map((order) => {
    const format: TimeFormat = { kind: 'calendar', order, offsetSeconds: 0 };
    const moments = table.rows.flatMap(
      (row) => momentOf(row[date] ?? '', clock === undefined ? undefined : (row[clock] ?? ''), format)?.ms ?? [],
    );
    let way = 0;
    for (const [at, ms] of moments.entries()) if (at > 0) way += Math.abs(ms - (moments[at - 1] ?? ms));
    return { order, way, texts: moments.join() };
  });
  const [best, second] = spreads.sort((one, other) => one.way - other.way);
  // One order whatever it is called, or one that is clearly shorter: days that follow each other, not months.
  if (best === undefined || second === undefined || best.texts === second.texts || best.way < second.way / 5)
    return best?.order;
  return undefined;
}

const EPOCHS = [
  ['epoch-s', 3e8, 4.2e9],
  ['epoch-ms', 3e11, 4.2e12],
  ['epoch-us', 3e14, 4.2e15],
  ['epoch-ns', 3e17, 4.2e18],
  ['excel-days', 20_000, 60_000],
] as const;

/** A column of numbers that are moments, never going back, under a name that says so (or first, where nothing has a name). */
function numberTimesOf(table: FoundTable): TimeColumns | undefined {
  for (const [index, { name, type }] of table.dialect.columns.entries()) {
    if (!isNumeric(type) || type === 'decimal-comma') continue;
    const compact = compactTimesOf(table, index);
    if (compact !== undefined) return compact;
    const numbers = table.rows.map((row) => Number((row[index] ?? '').trim().replace(',', '.')));
    const kind = EPOCHS.find(([, least, most]) => numbers.every((number) => number >= least && number <= most))?.[0];
    if (kind === undefined || numbers.length < 3) continue;
    const rises = numbers.filter((number, at) => at > 0 && number >= (numbers[at - 1] ?? 0)).length;
    if (!TIME_NAME.test(name) && !(name === '' && index === 0 && kind !== 'excel-days' && rises === numbers.length - 1))
      continue;
    if (kind === 'excel-days' && rises < numbers.length - 1) continue;
    return {
      columns: [index],
      format: { kind, order: 'ymd', offsetSeconds: 0 },
      zone: kind === 'excel-days' ? 'unknown' : 'in-text',
    };
  }
  return undefined;
}

/** Figures alone, year first, as `202003140915`: a number to look at, so each has to be a moment that exists. */
function compactTimesOf(table: FoundTable, index: number): TimeColumns | undefined {
  const format: TimeFormat = { kind: 'calendar', order: 'ymd', offsetSeconds: 0 };
  const cells = table.rows.map((row) => (row[index] ?? '').trim());
  const isTime = cells.every(
    (cell) => /^(?:19|20)\d{6}(?:\d{4}(?:\d{2})?)?$/.test(cell) && momentOf(cell, undefined, format) !== undefined,
  );
  const name = table.dialect.columns[index]?.name ?? '';
  if (!isTime || (!TIME_NAME.test(name) && !(name === '' && index === 0 && (cells[0]?.length ?? 0) > 8)))
    return undefined;
  const named = zoneNamed([...table.preamble, name]);
  return {
    columns: [index],
    format: { ...format, offsetSeconds: named ?? 0 },
    zone: named === undefined ? 'unknown' : named === 0 ? 'utc' : 'offset',
  };
}

function zoneNamed(lines: readonly string[]): number | undefined {
  for (const line of lines) {
    const match = ZONE_LINE.exec(line);
    if (match === null) continue;
    const [, , sign, hours = '0', minutes = '0'] = match;
    const seconds = Number(hours) * 3_600 + Number(minutes) * 60;
    return sign === '-' ? -seconds : sign === '+' ? seconds : 0;
  }
  return undefined;
}

function sensorColumnOf(table: FoundTable, taken: readonly number[]): number | undefined {
  const { columns } = table.dialect;
  const free = columns.flatMap((column, index) => (taken.includes(index) ? [] : [{ ...column, index }]));
  const repeats = (index: number): boolean =>
    new Set(table.rows.map((row) => row[index])).size <= Math.max(1, table.rows.length * 0.7);
  const hasValue = free.some(({ name }) => VALUE_NAME.test(name));
  const named = free.find(
    ({ name, index, type }) =>
      SENSOR_NAME.test(name) &&
      !VALUE_NAME.test(name) &&
      type !== 'empty' &&
      type !== 'decimal' &&
      type !== 'decimal-comma' &&
      (repeats(index) || hasValue || !isCounter(table, index)),
  );
  if (named !== undefined) return named.index;
  // Without a name: words, or one of few numbers, that come again.
  const words = free.filter(({ type, index, name }) => type === 'word' && repeats(index) && !STATUS_NAME.test(name));
  return words.length === 1 && free.filter(({ type }) => isNumeric(type)).length === 1 ? words[0]?.index : undefined;
}

function numericShare(table: FoundTable, column: number): number {
  const cells = table.rows.map((row) => (row[column] ?? '').trim()).filter((cell) => cell !== '');
  return cells.length === 0 ? 0 : cells.filter((cell) => /\d/.test(cell)).length / cells.length;
}

/** Numbers of rows: each one more than the one before. */
function isCounter(table: FoundTable, index: number): boolean {
  const column = table.dialect.columns[index];
  if (table.rows.length < 3 || column?.unit !== '' || column.type !== 'integer') return false;
  const numbers = table.rows.map((row) => Number(row[index]));
  return numbers.every((number, at) => at === 0 || number === (numbers[at - 1] ?? 0) + 1);
}

function goesForward(table: FoundTable, time: TimeColumns): boolean {
  const [date = 0, clock] = time.columns;
  const moments = table.rows.flatMap(
    (row) => momentOf(row[date] ?? '', clock === undefined ? undefined : (row[clock] ?? ''), time.format)?.ms ?? [],
  );
  return moments.filter((ms, at) => at === 0 || ms >= (moments[at - 1] ?? ms)).length >= moments.length * 0.95;
}

/** The step, seconds, that more than half of the readings of a sensor follow each other in. */
function regularStep(table: FoundTable, time: TimeColumns, sensorColumn: number | undefined): number | undefined {
  const [date = 0, clock] = time.columns;
  const last = new Map<string, number>();
  const steps = new Map<number, number>();
  let all = 0;
  for (const row of table.rows) {
    const ms = momentOf(row[date] ?? '', clock === undefined ? undefined : (row[clock] ?? ''), time.format)?.ms;
    if (ms === undefined) continue;
    const sensor = sensorColumn === undefined ? '' : (row[sensorColumn] ?? '');
    const before = last.get(sensor);
    last.set(sensor, ms);
    if (before === undefined) continue;
    all++;
    // Clocks of recorders are not exact to the millisecond.
    const step = Math.round(Math.abs(ms - before) / 10) / 100;
    if (step > 0) steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  const [most] = [...steps].sort(([, one], [, other]) => other - one);
  return most !== undefined && all >= 2 && most[1] > all / 2 ? most[0] : undefined;
}

function fileSensorOf(
  preamble: readonly string[],
  values: number,
  name: string | undefined,
): TelemetryColumns['fileSensor'] {
  for (const line of preamble) {
    const id = SENSOR_LINE.exec(line.slice(0, 300))?.[1]?.replaceAll('"', '').trim();
    if (id !== undefined && id !== '') return { id, from: 'the lines before the table' };
  }
  const stem = name
    ?.replace(/^.*[\\/]/, '')
    .replace(/\.[A-Za-z0-9]{1,8}$/, '')
    .trim();
  return values === 1 && stem !== undefined && stem !== '' ? { id: stem, from: 'the name of the file' } : undefined;
}
