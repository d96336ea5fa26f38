import { GridError } from '../../grid/errors.ts';
import { durationText } from '../../grid/figures.ts';
import type { HiveClient } from '../../connectors/hive/hive.ts';
import type { Answer, AnswerColumn, AnswerRun, Begun } from '../../workflows/query/contract.ts';
import { fullTypes, tablesRead } from './compiled.ts';
import type { QueryDependencies } from './dependencies.ts';
import { ResultPlace, type WantedResult } from './result-place.ts';
import { writeRows } from './rows-file.ts';

const MOST_COLUMNS = 200;
const MOST_TYPE = 200;
const MOST_TABLES = 100;

export interface AnswerRequest {
  readonly run: AnswerRun;
  readonly begun: Pick<Begun, 'sql' | 'kind' | 'namesReadings'>;
  readonly result: WantedResult;
  readonly maxRows: number;
  readonly timeLimitSeconds: number;
  /** When the time began to run, of whichever try was the first. */
  readonly sinceMs: number;
}

/**
 * Lets Hive run a statement that was admitted, and puts its rows in their place, whole or not at all. When it ends before, by a cancellation, by the
 * time limit or by a failure, the statement is ended in Hive before this returns.
 *
 * @throws GridError `statement-not-allowed`, `time-limit-passed`, `hdfs-already-exists`, `hive-…`
 */
export async function answerStatement(
  deps: QueryDependencies,
  request: AnswerRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const { timeLimitSeconds, sinceMs } = request;
  const limit = AbortSignal.timeout(Math.max(1, sinceMs + timeLimitSeconds * 1_000 - Date.now()));
  const call = { signal: AbortSignal.any([signal, limit]), limitMs: timeLimitSeconds * 1_000 };
  try {
    return await answered(deps, request, call);
  } catch (error) {
    await deps.hive.settled();
    if (!signal.aborted && limit.aborted) {
      throw new GridError(
        'time-limit-passed',
        `Running ${firstOf(request.begun.sql)} in Hive: it took longer than its limit of ${durationText(timeLimitSeconds * 1_000)}, and was cancelled. Raise timeLimit, or ask for less.`,
      );
    }
    throw error;
  }
}

interface Call {
  readonly signal: AbortSignal;
  readonly limitMs: number;
}

async function answered(deps: QueryDependencies, request: AnswerRequest, call: Call): Promise<Answer> {
  const { run, begun, result, maxRows } = request;
  const { sql, kind } = begun;
  const place = new ResultPlace(deps, run, result);
  const told = { sql, kind, format: result.format, startedAt: run.startedAt };
  if (kind === 'write') {
    await deps.hive.execute(sql, call);
    const nothing = { columns: [], columnCount: 0, rows: 0, isCut: false, path: null, schemaPath: null, bytes: 0 };
    return { ...told, ...nothing, firstRows: [], tables: [], durationMs: since(request) };
  }
  const before = await place.answered();
  if (before !== undefined) {
    await place.writeSchema(before.columns, before.rows, before.isCut);
    return before;
  }
  if (begun.namesReadings) await deps.refreshReadings?.(call.signal);
  const tables = kind === 'query' ? await tablesRead(deps.hive, sql, call) : [];
  const written = await writeRows(deps.hdfs, place.rowsPath, deps.hive.pages(sql, call), {
    format: result.format,
    maxRows,
  });
  call.signal.throwIfAborted();
  const columns = await typed(deps.hive, begun, written.columns, call);
  const { rows, isCut, bytes, firstRows } = written;
  const found: Answer = {
    ...told,
    columns: columns.slice(0, MOST_COLUMNS).map(({ name, type }) => ({ name, type: type.slice(0, MOST_TYPE) })),
    columnCount: columns.length,
    ...{ rows, isCut, bytes, firstRows, path: place.path, schemaPath: place.schemaPath },
    tables: tables.slice(0, MOST_TABLES),
    durationMs: since(request),
  };
  await place.publish(found);
  await place.writeSchema([...columns], rows, isCut);
  return found;
}

/** Hive's protocol says of an array that it is one, and not of what. */
async function typed(
  hive: HiveClient,
  { kind, sql }: AnswerRequest['begun'],
  columns: readonly AnswerColumn[],
  call: Call,
): Promise<readonly AnswerColumn[]> {
  if (kind !== 'query' || !columns.some(({ type }) => /^(?:array|map|struct|uniontype)$/.test(type))) return columns;
  const types = await fullTypes(hive, sql, call);
  return types.length === columns.length
    ? columns.map(({ name, type }, index) => ({ name, type: types[index] ?? type }))
    : columns;
}

function since({ sinceMs }: AnswerRequest): number {
  return Math.max(0, Date.now() - sinceMs);
}

function firstOf(sql: string): string {
  const line = sql.slice(0, 1_000).replaceAll(/\s+/g, ' ');
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}
