/** The tables over files and the views over them, as they have to be. */
import { qualifiedName } from '../../connectors/hive/hive.ts';
import { epochOfNumber, timestampOfEpoch } from '../import/publish/reading-time.ts';
import type { ViewDefinition } from './ensure-view.ts';
import type { TableDefinition, TableFormat } from './table-definition.ts';
import { daySql, exactValueSql } from './reading-columns.ts';

/** Nothing in a line means anything: no field's end, no escape, no NULL. */
const WHOLE_LINES: TableFormat = {
  serdeProperties: {
    'field.delim': '\u0000',
    'serialization.last.column.takes.rest': 'true',
    'serialization.null.format': '\u0000NULL\u0000',
  },
};

/** Fields between TABs; within them TAB, CR, LF and backslash after a backslash, as discovery lands them. */
const ESCAPED_FIELDS: TableFormat = {
  serdeProperties: {
    'field.delim': '\t',
    'escape.delim': '\\',
    'serialization.escape.crlf': 'true',
    'serialization.null.format': String.raw`\N`,
  },
};

/** The table under a view of texts: a partition for each directory. */
export function textLines(
  database: string,
  name: string,
  places: { readonly location: string; readonly directories: readonly string[]; readonly present: readonly string[] },
): TableDefinition {
  return {
    database,
    name: `${name}__lines`,
    about: `Lines of the files that ${name} shows`,
    columns: [{ name: 'line', type: 'string', comment: 'without its end' }],
    format: WHOLE_LINES,
    location: places.location,
    partitions: { column: 'directory', ...places },
  };
}

/** The view of texts: each line with its file. */
export function textView(database: string, name: string): ViewDefinition {
  return {
    database,
    name,
    columns: [
      ['line', 'STRING', 'without its end'],
      ['file', 'STRING', 'its path in HDFS'],
      ['directory', 'STRING', 'the directory that was named, below which the file lies'],
    ],
    about: 'Lines of text files',
    select: `SELECT line, REGEXP_REPLACE(INPUT__FILE__NAME, '^[A-Za-z][A-Za-z0-9+.-]*://[^/]*', '') AS file, directory FROM ${qualifiedName(database, `${name}__lines`)}`,
  };
}

/** The text of legacy files, as discovery lands it. */
export function textLegacy(database: string, unorganizedDirectory: string): TableDefinition {
  return {
    database,
    name: 'text_legacy',
    about: 'Lines of the text that was found in legacy files',
    columns: [
      { name: 'content', type: 'string', comment: 'SHA-256 of the file' },
      { name: 'line', type: 'bigint', comment: 'number of the line, from 1' },
      { name: 'text', type: 'string', comment: 'the line without its LF' },
    ],
    format: ESCAPED_FIELDS,
    location: `${unorganizedDirectory}/text`,
  };
}

/** The readings of legacy files, as discovery lands them; under the view that types them. */
export function telemetryLegacyRows(database: string, unorganizedDirectory: string): TableDefinition {
  return {
    database,
    name: 'telemetry_legacy__rows',
    about: 'Readings that were found in legacy files, as text',
    columns: [
      { name: 'content', type: 'string', comment: 'SHA-256 of the file' },
      { name: 'row_index', type: 'bigint', comment: 'row of the file, from 0' },
      { name: 'column_index', type: 'int', comment: 'column of the file, from 0' },
      { name: 'sensor_id', type: 'string', comment: 'who measured' },
      { name: 'event_time', type: 'string', comment: 'epoch seconds' },
      { name: 'value', type: 'string', comment: 'as the file has it' },
      { name: 'unit', type: 'string', comment: 'empty where nothing tells' },
      { name: 'aspect', type: 'string', comment: 'real_time or edge_prediction' },
    ],
    format: ESCAPED_FIELDS,
    location: `${unorganizedDirectory}/telemetry-rows`,
  };
}

/** The readings of legacy files: exact texts beside numbers and times. */
export function telemetryLegacy(database: string): ViewDefinition {
  const given = 'content, row_index, column_index, sensor_id, aspect, unit, value, event_time';
  const rows = `SELECT ${given}, ${epochOfNumber('event_time', '')} AS epoch FROM ${qualifiedName(database, 'telemetry_legacy__rows')}`;
  const timed = `SELECT ${given}, epoch, ${timestampOfEpoch('epoch')} AS utc FROM (${rows}) numbered`;
  return {
    database,
    name: 'telemetry_legacy',
    columns: [
      ['content', 'STRING', 'SHA-256 of the file'],
      ['row_index', 'BIGINT', 'row of the file, from 0'],
      ['column_index', 'INT', 'column of the file, from 0'],
      ['sensor_id', 'STRING', 'who measured'],
      ['aspect', 'STRING', 'real_time or edge_prediction'],
      ['unit', 'STRING', 'of the value; empty where nothing tells'],
      ['value_text', 'STRING', 'the value, in the digits that the file has'],
      ['value', 'DECIMAL(38,18)', 'the same as a number; NULL where it does not fit'],
      ['event_time', 'TIMESTAMP', 'when, in UTC'],
      ['event_ms', 'BIGINT', 'the same in whole epoch milliseconds'],
      ['created_at', 'STRING', 'the same in epoch seconds, exact'],
      ['event_day', 'STRING', 'day of the event time, UTC, YYYY-MM-DD'],
    ],
    about: 'Readings that were found in legacy files',
    select: [
      'SELECT content, row_index, column_index, sensor_id, aspect, unit, value AS value_text,',
      `${exactValueSql('value')} AS value, utc AS event_time, CAST(FLOOR(epoch * 1000) AS BIGINT) AS event_ms,`,
      `event_time AS created_at, ${daySql('utc')} AS event_day FROM (${timed}) timed`,
    ].join(' '),
  };
}
