import { qualifiedName, quoteIdentifier, quoteString } from '../../../connectors/hive/hive.ts';
import { GridError } from '../../../grid/errors.ts';
import { hiveDatabase } from '../../../grid/history/hive-name.ts';
import type { TelemetryMapping } from '../../../workflows/import/input.ts';
import type { TableId } from '../../../grid/history/sql-source.ts';
import { tableName } from '../table-names.ts';
import type { ImportCommit } from './commit.ts';
import { EPOCH_TYPE, epochOfNumber, epochOfText, timeForm, timestampOfEpoch } from './reading-time.ts';
import { definition, viewColumns, type ViewColumn, type ViewDefinition } from './view-statements.ts';

/** Columns of a view of readings. */
const READING_COLUMNS = [
  ['sensor_id', 'who measured'],
  ['event_time', 'when, in UTC'],
  ['created_at', 'the same in epoch seconds, exact'],
  ['modality', 'the value, in the digits that the source has'],
  ['unit', 'of the value'],
  ['temporal_aspect', 'real_time or edge_prediction'],
  ['correlation_id', 'identifies the reading; the same in every import'],
] as const;

/**
 * Refuses a mapping that does not fit the table: a column that is not there, one that holds no time or no number, a
 * zone that is none.
 *
 * @param columns those that are imported
 * @throws GridError `unknown-column`, `invalid-input`
 */
export function checkTelemetry(
  table: TableId,
  columns: readonly { readonly name: string; readonly hiveType: string }[],
  mapping: TelemetryMapping,
): void {
  const attempt = attemptOn(table);
  for (const [field, part] of Object.entries(mapping)) {
    if (typeof part === 'string' || !('column' in part)) continue;
    const column = columns.find(({ name }) => name === part.column);
    if (column === undefined) {
      throw new GridError(
        'unknown-column',
        `${attempt}: ${field} is to come from the column ${JSON.stringify(part.column)}, which is not imported. There are: ${columns.map(({ name }) => name).join(', ')}. Correct the mapping in the input or in HISTORY_TELEMETRY_FILE.`,
      );
    }
    const form = field === 'time' ? timeForm(column.hiveType, 'format' in part ? part.format : undefined) : undefined;
    if (form !== undefined && 'problem' in form) {
      throw invalid(attempt, `time is to come from ${part.column}, but ${form.problem}`);
    }
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: mapping.zone });
  } catch {
    // Hive would silently take it for UTC.
    throw invalid(
      attempt,
      `the zone ${JSON.stringify(mapping.zone)} is unknown; give an IANA name such as Europe/Berlin`,
    );
  }
  if ('constant' in mapping.time) instantOf(mapping.time.constant, attempt);
}

/** The view of a telemetry table's rows as readings; undefined for other tables. Rows without sensor, time or value are no readings. */
export function readingsView(prefix: string, commit: ImportCommit): ViewDefinition | undefined {
  const { telemetry: mapping, readings: name, source, table, hiveTable } = commit;
  if (mapping === undefined || name === undefined) return undefined;
  const columns = viewColumns(commit);
  checkTelemetry(table, columns, mapping);
  const rows = readingRows(commit, mapping, columns, { from: qualifiedName(hiveDatabase(prefix, source), hiveTable) });
  const select = [
    `SELECT sensor_id, ${EVENT_TIME} AS event_time, ${CREATED_AT} AS created_at, modality, unit, temporal_aspect, correlation_id`,
    `FROM (\n${rows}\n) readings`,
    `WHERE ${IS_READING}`,
  ].join('\n');
  const heads = READING_COLUMNS.map(([column, comment]) => `${column} COMMENT ${quoteString(comment)}`);
  return definition(hiveDatabase(prefix, source), name, {
    columns: heads,
    about: `Readings in ${hiveTable}`,
    select,
  });
}

/** Of what {@link readingRows} gives. */
export const IS_READING = 'sensor_id IS NOT NULL AND epoch IS NOT NULL AND modality IS NOT NULL';

/** The SELECT that makes of each row what a reading is made of; rows without sensor, time or value are none. */
export function readingRows(
  commit: ImportCommit,
  mapping: TelemetryMapping,
  columns: readonly ViewColumn[],
  { from, further = [] }: { readonly from: string; readonly further?: readonly string[] },
): string {
  const text = (part: { column: string } | { constant: string }): string =>
    'constant' in part ? quoteString(part.constant) : `CAST(${hiveNameOf(part.column, columns)} AS STRING)`;
  return [
    `SELECT ${text(mapping.sensorId)} AS sensor_id, ${timeOf(mapping, columns, attemptOn(commit.table))},`,
    `${text(mapping.value)} AS modality, ${text(mapping.unit)} AS unit, ${text(mapping.aspect)} AS temporal_aspect,`,
    `${[`${correlationId(commit, columns)} AS correlation_id`, ...further].join(', ')} FROM ${from}`,
  ].join('\n');
}

/** A column as HiveQL names it in the view. */
export function hiveNameOf(column: string, columns: readonly ViewColumn[]): string {
  return quoteIdentifier(columns.find(({ name }) => name === column)?.hiveName ?? column);
}

/** From the columns `utc` (TIMESTAMP without a zone, in UTC; may be absent as NULL) and `epoch` of the rows. */
const EVENT_TIME = `COALESCE(utc, ${timestampOfEpoch('epoch')})`;
const CREATED_AT = String.raw`REGEXP_REPLACE(CAST(epoch AS STRING), '\\.?0+$', '')`;

/**
 * The columns `utc` and `epoch`. A local time becomes UTC by the rules of its zone at that time. One that exists twice, when clocks are
 * set back, is taken for the first (summer time); one that does not exist, when they are set forward, is taken for
 * as much later: 02:30 for 03:30.
 */
function timeOf(mapping: TelemetryMapping, columns: readonly ViewColumn[], attempt: string): string {
  const { time, zone } = mapping;
  if ('constant' in time) {
    const { epoch } = instantOf(time.constant, attempt);
    return `CAST(NULL AS TIMESTAMP) AS utc, CAST('${epoch}' AS ${EPOCH_TYPE}) AS epoch`;
  }
  const column = columns.find(({ name }) => name === time.column);
  const name = hiveNameOf(time.column, columns);
  const toUtc = (local: string): string => `TO_UTC_TIMESTAMP(${local}, ${quoteString(zone)})`;
  const both = (utc: string): string => `${utc} AS utc, CAST(${utc} AS ${EPOCH_TYPE}) AS epoch`;
  const form = timeForm(column?.hiveType ?? '', time.format);
  if ('problem' in form) throw invalid(attempt, `time is to come from ${time.column}, but ${form.problem}`);
  const byEpoch = (epoch: string): string => `CAST(NULL AS TIMESTAMP) AS utc, ${epoch} AS epoch`;
  switch (form.kind) {
    case 'timestamp':
      // Imported as UTC where the source knows the zone.
      return both(hasZone(column?.sourceType ?? '') ? name : toUtc(name));
    case 'date':
      return both(toUtc(`CAST(${name} AS TIMESTAMP)`));
    case 'epoch':
      return byEpoch(epochOfNumber(name, form.factor));
    case 'text':
      return byEpoch(epochOfText(`CAST(${name} AS STRING)`, form.pattern, toUtc));
  }
}

/**
 * A UUID (version 8) made from source, table and primary key, so a reading keeps its identity through every import, and an updated row is the
 * same reading corrected. Without a key all columns take its place: rows that are equal in all of them are one reading as
 * far as anybody can tell, while a position in a file would be another one in each import.
 */
function correlationId(commit: ImportCommit, columns: readonly ViewColumn[]): string {
  const { source, table, key } = commit;
  const keyed = columns.filter(({ name }) => key.includes(name));
  const identity = key.length > 0 && keyed.length === key.length ? keyed : columns;
  const texts = identity.map(({ hiveName, hiveType }) => {
    const name = quoteIdentifier(hiveName);
    const text = hiveType.toUpperCase() === 'BINARY' ? `BASE64(${name})` : `CAST(${name} AS STRING)`;
    // Lengths keep ('a', 'bc') from ('ab', 'c').
    return `COALESCE(CONCAT(LENGTH(${text}), ':', ${text}), '-')`;
  });
  const about = quoteString(JSON.stringify([source, table.schema, table.name]));
  const digest = `MD5(CONCAT(${[about, ...texts].join(', ')}))`;
  return String.raw`REGEXP_REPLACE(${digest}, '^(.{8})(.{4}).(.{3}).(.{3})(.{12})$', '$1-$2-8$3-a$4-$5')`.replaceAll(
    '$',
    String.raw`\u0024`,
  );
}

function attemptOn(table: TableId): string {
  return `Reading ${tableName(table)} as telemetry`;
}

/** Whether the source's own type says which moment a time is. */
function hasZone(sourceType: string): boolean {
  return /with time zone|timestamptz|datetimeoffset/i.test(sourceType);
}

/** Epoch seconds of an ISO time with its offset, exact to the nanosecond. @throws GridError `invalid-input` */
function instantOf(text: string, attempt: string): { readonly epoch: string } {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(`${match[1] ?? ''}T${match[2] ?? ''}${match[4] ?? ''}`);
  if (Number.isNaN(ms)) {
    throw invalid(
      attempt,
      `the time ${JSON.stringify(text)} is none; give it with its offset, as in 2023-09-17T00:00:00Z`,
    );
  }
  // In nanoseconds, since a fraction before 1970 counts backwards.
  const nanoseconds = BigInt(ms) * 1_000_000n + BigInt((match?.[3] ?? '').padEnd(9, '0'));
  const magnitude = (nanoseconds < 0n ? -nanoseconds : nanoseconds).toString().padStart(10, '0');
  return { epoch: `${nanoseconds < 0n ? '-' : ''}${magnitude.slice(0, -9)}.${magnitude.slice(-9)}` };
}

function invalid(attempt: string, problem: string): GridError {
  return new GridError(
    'invalid-input',
    `${attempt}: ${problem}. Correct the mapping in the input or in HISTORY_TELEMETRY_FILE.`,
  );
}
