import { quoteString, readableName, type HiveClient } from '../../../connectors/hive/hive.ts';
import { GridError } from '../../../grid/errors.ts';
import { GENERATION_COLUMN, hiveDatabase, RUN_COLUMN } from '../../../grid/history/hive-name.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { tableName } from '../table-names.ts';
import { segmentName, type ImportCommit } from './commit.ts';
import { timeForm } from './reading-time.ts';
import { hiveNameOf, IS_READING, readingRows } from './telemetry.ts';
import { runsTable, viewColumns, type ViewColumn } from './view-statements.ts';

/** Characters of a time that is shown as an example. */
const SHOWN_CHARACTERS = 40;

/**
 * Says how many rows of a commit's own run the view of readings leaves out, and why: without sensor, time or value, or with a time
 * that cannot be read. Hive is asked, unless the columns are such that there can be none.
 *
 * @returns no sentence when there are none, or the table is no telemetry
 */
export async function leftOutNotes(
  {
    hive,
    prefix,
    logger,
    signal,
  }: {
    readonly hive: HiveClient;
    readonly prefix: string;
    readonly logger: Logger;
    readonly signal?: AbortSignal | undefined;
  },
  commit: ImportCommit,
): Promise<readonly string[]> {
  const { telemetry, readings, source } = commit;
  const run = commit.runs.find(({ runId }) => runId === commit.runId);
  if (telemetry === undefined || readings === undefined || run === undefined || run.rows === 0) return [];
  const columns = viewColumns(commit);
  if (cannotLack(commit, columns)) return [];
  const time = 'column' in telemetry.time ? `CAST(${hiveNameOf(telemetry.time.column, columns)} AS STRING)` : 'NULL';
  const table = runsTable(prefix, commit, run.columns);
  const from = `(SELECT *, ${time} AS given_time FROM ${table} WHERE ${GENERATION_COLUMN}=${quoteString(run.generation)} AND ${RUN_COLUMN}=${quoteString(segmentName(run))}) own_run`;
  const rows = readingRows(commit, telemetry, columns, { from, further: ['given_time'] });
  const unreadable = 'given_time IS NOT NULL AND epoch IS NULL';
  const sql = [
    `SELECT CAST(COUNT(*) AS STRING), CAST(COUNT(IF(${unreadable}, 1, NULL)) AS STRING),`,
    `MIN(IF(${unreadable}, SUBSTR(given_time, 1, ${SHOWN_CHARACTERS}), NULL)) FROM (\n${rows}\n) read_rows WHERE NOT (${IS_READING})`,
  ].join('\n');
  const view = readableName(hiveDatabase(prefix, source), readings);
  try {
    const [row] = await hive.rows(sql, signal === undefined ? {} : { signal });
    const [all, unread] = [Number(row?.[0] ?? 0), Number(row?.[1] ?? 0)];
    return all === 0 ? [] : [sentence(commit, view, { all, unread, example: row?.[2] ?? '' })];
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof GridError)) throw error;
    // The table is published, and stays so.
    logger.warn({ error, table: tableName(commit.table) }, 'counting the rows that are no readings failed');
    return [
      `How many rows of ${tableName(commit.table)} are no readings, and missing in ${view}, could not be counted.`,
    ];
  }
}

/** Whether each row is a reading by the columns' types alone. */
function cannotLack({ telemetry }: ImportCommit, columns: readonly ViewColumn[]): boolean {
  if (telemetry === undefined) return true;
  return [telemetry.sensorId, telemetry.time, telemetry.value].every((part) => {
    if ('constant' in part) return true;
    const column = columns.find(({ name }) => name === part.column);
    if (column?.neverNull !== true) return false;
    if (part !== telemetry.time) return true;
    const form = timeForm(column.hiveType, telemetry.time.format);
    return 'kind' in form && (form.kind === 'timestamp' || form.kind === 'date');
  });
}

function sentence(
  { table, runs, runId }: ImportCommit,
  view: string,
  { all, unread, example }: { readonly all: number; readonly unread: number; readonly example: string },
): string {
  const imported = runs.find((run) => run.runId === runId)?.rows ?? 0;
  const reasons = [];
  if (all > unread) reasons.push(`${all - unread} without sensor, time or value`);
  if (unread > 0) reasons.push(`${unread} whose time cannot be read, such as ${JSON.stringify(example)}`);
  const advice =
    unread === 0
      ? ''
      : ' Say in the telemetry mapping how its times are written: time.format, such as "epoch-milliseconds" or "DD.MM.YYYY HH:mm".';
  return `${all} of ${imported} rows that were imported of ${tableName(table)} are no readings, and missing in ${view}: ${reasons.join(', ')}.${advice}`;
}
