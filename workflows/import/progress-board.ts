import type { ImportPhase, ImportProgress, TableProgress, TableStanding, TableState } from './contract.ts';
import type { SourceName, SourceSnapshot, TableId } from '../../grid/history/sql-source.ts';

/** Tables in the answer to a query, and rows of the table in the Web UI. */
const MOST_TABLES = 500;
/** Speed is that of the last minute. */
const WINDOW_MS = 60_000;

interface Sample {
  readonly atMs: number;
  readonly rows: number;
  readonly textBytes: number;
}

interface BoardRow {
  readonly progress: TableProgress;
  /** When the first figures came, and what they were: resumed work came for nothing. */
  readonly since?: Sample;
}

const URGENCY: Readonly<Record<TableState, number>> = {
  parked: 0,
  copying: 1,
  publishing: 1,
  copied: 2,
  planned: 3,
  waiting: 3,
  gone: 4,
  published: 5,
  unchanged: 6,
};

/** How an import stands, for people. Times are epoch ms, given by the caller. */
export class ProgressBoard {
  phase: ImportPhase = 'opening';
  source: SourceName | undefined;
  database: string | undefined;
  snapshot: SourceSnapshot | undefined;
  readonly #runId: string;
  readonly #startedMs: number;
  #rows: BoardRow[] = [];
  #samples: Sample[] = [];

  constructor(runId: string, startedMs: number) {
    this.#runId = runId;
    this.#startedMs = startedMs;
  }

  setTables(tables: readonly TableId[]): void {
    const none = { state: 'waiting', splits: 0, splitsDone: 0, estimatedRows: 0, rows: 0, textBytes: 0 } as const;
    this.#rows = tables.map((table) => ({ progress: { table, ...none } }));
    this.#samples = [];
  }

  update(index: number, progress: TableStanding, nowMs: number): void {
    const before = this.#rows[index];
    if (before === undefined) return;
    const { table } = before.progress;
    const now = { atMs: nowMs, rows: progress.rows, textBytes: progress.textBytes };
    const isBegun = progress.state === 'copying' || progress.splitsDone > 0;
    // A new snapshot takes the figures back.
    const isTakenBack = before.since !== undefined && progress.rows < before.since.rows;
    const since = isTakenBack ? now : (before.since ?? (isBegun ? now : undefined));
    this.#rows[index] = { progress: { table, ...progress }, ...(since === undefined ? {} : { since }) };
  }

  /** To be called after updates. */
  sample(nowMs: number): void {
    const { rows, textBytes } = this.#sums();
    const last = this.#samples.at(-1);
    if (last !== undefined && rows < last.rows) this.#samples = [];
    this.#samples.push({ atMs: nowMs, rows, textBytes });
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? nowMs) < nowMs - WINDOW_MS) this.#samples.shift();
  }

  progress(nowMs: number): ImportProgress {
    const listed = this.#rows
      .map((row, index) => ({ row, index, urgency: URGENCY[row.progress.state] }))
      .sort((a, b) => a.urgency - b.urgency || a.index - b.index)
      .slice(0, MOST_TABLES);
    const { source, database, snapshot } = this;
    return {
      runId: this.#runId,
      ...(source === undefined ? {} : { source }),
      ...(database === undefined ? {} : { database }),
      phase: this.phase,
      startedAt: new Date(this.#startedMs).toISOString(),
      ...(snapshot === undefined ? {} : { snapshot }),
      tables: listed.map(({ row }) => withSpeed(row, nowMs)),
      tablesLeftOut: this.#rows.length - listed.length,
      total: this.#total(),
    };
  }

  #total(): ImportProgress['total'] {
    const states = this.#rows.map(({ progress }) => progress.state);
    const count = (...of: readonly TableState[]): number => states.filter((state) => of.includes(state)).length;
    const sums = this.#sums();
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    return {
      tables: this.#rows.length,
      tablesDone: count('published', 'unchanged', 'gone'),
      tablesParked: count('parked'),
      ...sums,
      ...(this.phase === 'copying' ? speed(first, last, sums.estimatedRows - sums.rows) : {}),
    };
  }

  #sums(): Pick<ImportProgress['total'], 'splits' | 'splitsDone' | 'estimatedRows' | 'rows' | 'textBytes'> {
    const sums = { splits: 0, splitsDone: 0, estimatedRows: 0, rows: 0, textBytes: 0 };
    for (const { progress } of this.#rows) {
      sums.splits += progress.splits;
      sums.splitsDone += progress.splitsDone;
      // An estimate may be too low.
      sums.estimatedRows += Math.max(progress.estimatedRows, progress.rows);
      sums.rows += progress.rows;
      sums.textBytes += progress.textBytes;
    }
    return sums;
  }
}

function withSpeed({ progress, since }: BoardRow, nowMs: number): TableProgress {
  if (progress.state !== 'copying') return progress;
  const now = { atMs: nowMs, rows: progress.rows, textBytes: progress.textBytes };
  return { ...progress, ...speed(since, now, progress.estimatedRows - progress.rows) };
}

function speed(
  from: Sample | undefined,
  to: Sample | undefined,
  rowsLeft: number,
): Pick<TableProgress, 'bytesPerSecond' | 'etaSeconds'> {
  if (from === undefined || to === undefined || to.atMs <= from.atMs || to.rows <= from.rows) return {};
  const seconds = (to.atMs - from.atMs) / 1_000;
  const rowsPerSecond = (to.rows - from.rows) / seconds;
  return {
    bytesPerSecond: Math.round((to.textBytes - from.textBytes) / seconds),
    etaSeconds: Math.max(0, Math.round(rowsLeft / rowsPerSecond)),
  };
}
