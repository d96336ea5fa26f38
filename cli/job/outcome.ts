import type { Followed } from './follow.ts';
import { bytesText, countText, durationText, tableText } from '../../grid/figures.ts';
import { z } from 'zod';

/** What a command leaves behind: lines for people, one line of JSON for programs, and the process's exit code. */
export interface CommandOutcome {
  readonly exitCode: number;
  /** Standard error. */
  readonly report: readonly string[];
  /** Last line of standard output; absent where the command's own text is its answer. */
  readonly result?: unknown;
}

/** Exit codes of the command line. */
export const EXIT = { done: 0, failed: 1, usage: 2, left: 130 } as const;

const tableId = z.looseObject({ schema: z.string(), name: z.string() });
const summarySchema = z.looseObject({
  runId: z.string(),
  publishedTables: z.number(),
  unchangedTables: z.number(),
  parkedTables: z.number(),
  skippedTables: z.number(),
  rows: z.number(),
  textBytes: z.number(),
  fileBytes: z.number(),
  splits: z.number(),
  durationMs: z.number(),
  notes: z.array(z.string()),
  parked: z.array(
    z.looseObject({ table: tableId, code: z.string(), reason: z.string(), splits: z.array(z.number()).default([]) }),
  ),
  skipped: z.array(z.looseObject({ table: tableId, reason: z.string() })),
  tables: z.array(
    z.looseObject({
      table: tableId,
      notes: z.array(z.string()).default([]),
      remarks: z
        .array(z.object({ column: z.string(), sourceType: z.string(), reason: z.string(), done: z.string() }))
        .default([]),
    }),
  ),
});
const retrySchema = z.looseObject({
  runs: z.array(
    z.looseObject({
      workflowId: z.string(),
      outcome: z.string(),
      reason: z.string(),
      message: z.string().optional(),
    }),
  ),
  succeeded: z.number(),
  failed: z.number(),
  signalled: z.number(),
});

/** Of a long list, as many as are read. */
const SHOWN_ROWS = 50;
const LONGEST_CELL = 300;

/** How a followed workflow ended, told. */
export function outcomeOf(followed: Followed, workflowType: string, workflowId: string): CommandOutcome {
  if (followed === 'left') {
    return {
      exitCode: EXIT.left,
      report: [`${workflowId} goes on by itself. Follow it again: npm run job -- follow ${workflowId}`],
      result: { status: 'running', workflowId },
    };
  }
  if (followed.completed) {
    const retried = retrySchema.safeParse(followed.result);
    const failed = retried.success && retried.data.failed > 0;
    return {
      exitCode: failed ? EXIT.failed : EXIT.done,
      report: [`${workflowType} ${workflowId} completed.`, ...resultLines(followed.result)],
      result: followed.result ?? null,
    };
  }
  const { failure } = followed;
  const [details] = failure.details;
  const told = resultLines(details);
  // Where there is a table of what was left undone, the message need not list it as well.
  const message = told.length === 0 ? failure.message : (failure.message.split('\n')[0] ?? '');
  const { status } = failure;
  const ended = status === 'failed' || status === 'timed out' ? status : `was ${status}`;
  return {
    exitCode: EXIT.failed,
    report: [`${workflowType} ${workflowId} ${ended}: ${message}`, ...told],
    result: {
      status,
      code: failure.code,
      message: failure.message,
      workflowId,
      ...(details === undefined ? {} : { details }),
    },
  };
}

/** What is in a result for people: an import's summary, the runs that were retried; of another shape nothing. */
export function resultLines(result: unknown): string[] {
  const summary = summarySchema.safeParse(result);
  if (summary.success) return summaryLines(summary.data);
  const retried = retrySchema.safeParse(result);
  if (retried.success) return retryLines(retried.data);
  return [];
}

function summaryLines(summary: z.output<typeof summarySchema>): string[] {
  const tables = [
    `${summary.publishedTables} published`,
    `${summary.unchangedTables} unchanged`,
    ...(summary.skippedTables === 0 ? [] : [`${summary.skippedTables} skipped`]),
    ...(summary.parkedTables === 0 ? [] : [`${summary.parkedTables} parked`]),
  ];
  const seconds = summary.durationMs / 1_000;
  return [
    `Run ${summary.runId}: tables ${tables.join(', ')}; ${countText(summary.rows)} rows in ${summary.splits} splits, ${bytesText(summary.textBytes)} of text, ${bytesText(summary.fileBytes)} in HDFS, ${durationText(seconds)}.`,
    ...summary.notes,
    ...summary.tables.flatMap(({ notes }) => notes),
    ...listed(
      ['column', 'type', 'done', 'why'],
      summary.tables.flatMap(({ table, remarks }) =>
        remarks.map(({ column, sourceType, done, reason }) => [`${nameOf(table)}.${column}`, sourceType, done, reason]),
      ),
    ),
    ...listed(
      ['left undone', 'splits', 'code', 'why'],
      summary.parked.map(({ table, splits, code, reason }) => [nameOf(table), splitsText(splits), code, reason]),
    ),
    ...listed(
      ['skipped', 'why'],
      summary.skipped.map(({ table, reason }) => [nameOf(table), reason]),
    ),
  ];
}

function retryLines(retried: z.output<typeof retrySchema>): string[] {
  return [
    `${retried.runs.length} failed or waiting runs: ${retried.succeeded} made good, ${retried.signalled} told to go on, ${retried.failed} failed again.`,
    ...listed(
      ['run', 'outcome', 'why'],
      retried.runs.map(({ workflowId, outcome, reason, message }) => [workflowId, outcome, message ?? reason]),
    ),
  ];
}

function listed(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const lines = tableText([heading, ...rows.slice(0, SHOWN_ROWS).map((row) => row.map(oneLine))]);
  return rows.length > SHOWN_ROWS ? [...lines, `and ${rows.length - SHOWN_ROWS} more`] : lines;
}

function nameOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${schema}.${name}`;
}

function splitsText(splits: readonly number[]): string {
  if (splits.length === 0) return 'all';
  return splits.length <= 5 ? splits.join(',') : `${splits.slice(0, 5).join(',')},… (${splits.length})`;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s*\n\s*/g, ' / ');
  return line.length > LONGEST_CELL ? `${line.slice(0, LONGEST_CELL - 1)}…` : line;
}
