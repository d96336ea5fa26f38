import type { TelemetryFacts } from '../../../../grid/legacy/telemetry-facts.ts';
import type { OutputFile } from '../reading/output.ts';
import { RecordReader } from '../table/records.ts';
import type { FoundTable } from '../table/dialect.ts';
import type { TelemetryRow } from '../telemetry-rows.ts';
import { jsonNumber } from '../text/cell-types.ts';
import { momentOf } from '../text/times.ts';
import type { TelemetryColumns } from './columns.ts';
import { Quality } from './quality.ts';

const MOST_SENSOR_CHARACTERS = 128;
const MISSING = /^(?:|-{1,3}|nan|na|n\/a|null|none|\\n|#n\/a|#nv|\?|bad)$/i;

/** Turns the lines of a telemetry table into readings, as they come. */
export class TelemetryRows {
  readonly #table: FoundTable;
  readonly #columns: TelemetryColumns;
  readonly #output: OutputFile;
  readonly #records: RecordReader;
  readonly #quality = new Quality();
  readonly #units = new Set<string>();
  readonly #series: readonly {
    readonly column: number;
    readonly name: string;
    readonly sensorId: string;
    readonly unit: string;
  }[];
  #skip: number;
  #headerRows: number;
  #row = 0;
  #readings = 0;
  #unreadable = 0;

  constructor(table: FoundTable, columns: TelemetryColumns, output: OutputFile) {
    this.#table = table;
    this.#columns = columns;
    this.#output = output;
    this.#records = new RecordReader(table.dialect);
    this.#skip = table.dialect.preambleLines;
    this.#headerRows = table.dialect.headerRows;
    const { fileSensor, valueColumns } = columns;
    this.#series = valueColumns.map(({ column, unit }) => {
      const name = this.#nameOf(column);
      // A column's sensor where no column names it: the file's, and which of its columns.
      const ofFile =
        fileSensor === undefined ? name : valueColumns.length === 1 ? fileSensor.id : joined(fileSensor.id, name);
      return { column, name, unit, sensorId: ofFile };
    });
  }

  take(line: string): void {
    if (this.#skip > 0) {
      this.#skip--;
      return;
    }
    if (line === '' || line.trim() === '') return;
    for (const cells of this.#records.take(line)) this.#record(cells);
  }

  end(): TelemetryFacts {
    for (const cells of this.#records.end()) this.#record(cells);
    const { timeColumns, format, zone, sensorColumn, fileSensor } = this.#columns;
    const { firstMs, lastMs, stepSeconds } = this.#quality;
    return {
      layout: sensorColumn === undefined ? 'wide' : 'long',
      timeColumns: [...timeColumns],
      timeFormat: format.kind === 'calendar' ? `calendar ${format.order}` : format.kind,
      zone,
      ...(sensorColumn === undefined ? {} : { sensorColumn }),
      ...(fileSensor === undefined ? {} : { fileSensor }),
      sensors: this.#quality.sensors,
      units: [...this.#units].slice(0, 32),
      readings: this.#readings,
      rows: this.#row,
      unreadable: this.#unreadable,
      ...(firstMs === undefined || lastMs === undefined ? {} : { firstMs, lastMs }),
      ...(stepSeconds === undefined ? {} : { stepSeconds }),
      quality: this.#quality.counts(),
      isTruncated: this.#output.isTruncated,
    };
  }

  #record(cells: readonly string[]): void {
    if (this.#headerRows > 0) {
      this.#headerRows--;
      return;
    }
    const row = this.#row++;
    const { timeColumns, format, sensorColumn, unitColumn } = this.#columns;
    const [date = 0, clock] = timeColumns;
    const moment = momentOf(cells[date] ?? '', clock === undefined ? undefined : (cells[clock] ?? ''), format);
    if (moment === undefined) {
      this.#unreadable++;
      return;
    }
    const named = sensorColumn === undefined ? undefined : (cells[sensorColumn] ?? '').trim();
    const unitText =
      unitColumn === undefined ? undefined : (cells[unitColumn] ?? '').trim().slice(0, MOST_SENSOR_CHARACTERS);
    for (const series of this.#series) {
      const cell = (cells[series.column] ?? '').trim();
      if (cell === '' || MISSING.test(cell)) {
        this.#quality.missing++;
        continue;
      }
      const value = jsonNumber(cell, this.#table.dialect.decimal);
      const sensorId =
        named === undefined ? series.sensorId : this.#series.length > 1 ? joined(named, series.name) : named;
      if (value === undefined || !isSensorId(sensorId)) {
        this.#unreadable++;
        continue;
      }
      const reading: TelemetryRow = {
        row,
        column: series.column,
        sensorId,
        eventTime: moment.text,
        value,
        unit: unitText ?? series.unit,
        aspect: this.#columns.aspect,
      };
      this.#output.write(lineOf(reading));
      this.#readings++;
      if (this.#units.size < 64) this.#units.add(reading.unit);
      this.#quality.take(sensorId, moment.ms, Number(value));
    }
  }

  #nameOf(column: number): string {
    const { valueColumns } = this.#columns;
    const name = valueColumns.find((each) => each.column === column)?.name.trim() ?? '';
    const isAlone = name !== '' && valueColumns.filter((each) => each.name.trim() === name).length === 1;
    return isAlone
      ? name.slice(0, MOST_SENSOR_CHARACTERS)
      : `${name.slice(0, 100)}${name === '' ? '' : '.'}column-${column + 1}`;
  }
}

const joined = (id: string, name: string): string => `${id}.${name}`.slice(0, MOST_SENSOR_CHARACTERS);

/** As JSON.stringify writes it, at a third of the cost; numbers and moments need no escapes. */
function lineOf({ row, column, sensorId, eventTime, value, unit, aspect }: TelemetryRow): string {
  return `{"row":${row},"column":${column},"sensorId":${JSON.stringify(sensorId)},"eventTime":"${eventTime}","value":"${value}","unit":${JSON.stringify(unit)},"aspect":"${aspect}"}\n`;
}

/** Whether the envelope takes a text as a sensor id. */
function isSensorId(text: string): boolean {
  return text.length > 0 && text.length <= MOST_SENSOR_CHARACTERS && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text);
}
