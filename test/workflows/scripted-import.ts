import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { GridError, type ErrorCode } from '../../grid/errors.ts';
import type {
  ImportActivities,
  ImportRun,
  OpenedImport,
  PlannedTable,
  SplitStretch,
  StretchResult,
  TableResult,
} from '../../workflows/import/activity-contract.ts';
import type { SourceSnapshot, TableId } from '../../grid/history/sql-source.ts';

/** A table as a test wants it. */
export interface ScriptedTable {
  readonly splits: number;
  readonly rowsPerSplit?: number;
  /** Nothing has changed since the last import. */
  readonly unchanged?: boolean;
  /** What planning it fails with. */
  readonly refusal?: ErrorCode;
  /** What publishing it fails with. */
  readonly conflict?: ErrorCode;
  /** What bringing a split fails with, by split; as long as the table says so. */
  readonly broken?: Map<number, ErrorCode>;
  /** What bringing any split fails with. */
  readonly gone?: ErrorCode;
  /** What bringing any split fails with after many attempts, which the test does not wait for. */
  readonly outage?: ErrorCode;
}

export interface ScriptedSource {
  readonly tables: Record<string, ScriptedTable>;
  readonly sharedSnapshots?: boolean;
  readonly maxConnections?: number;
  readonly maxBytesPerSecond?: number;
  readonly skipped?: OpenedImport['skipped'];
  readonly refusal?: ErrorCode;
  /** Called before a stretch is worked on; may wait, or change the source. */
  beforeStretch?: (stretch: SplitStretch, source: ScriptedImport) => Promise<void> | void;
  /** The keeper never notices that its snapshot is gone. */
  readonly isKeeperBlind?: boolean;
}

/**
 * Activities of an import whose source and store are a few maps: they keep the rules that the workflows rely on (a snapshot is
 * good as long as it is held; what is published must be complete and at one snapshot), and break as the test says.
 */
export class ScriptedImport implements ImportActivities {
  readonly source: ScriptedSource;
  readonly client: Client;
  /** Calls in order, as `activity` or `activity table …`. */
  readonly calls: string[] = [];
  readonly stretches: SplitStretch[] = [];
  readonly published = new Map<string, TableResult>();
  /** Which snapshot each split is at. */
  readonly work = new Map<string, Map<number, SourceSnapshot>>();
  held: SourceSnapshot | undefined;
  snapshots = 0;
  busy = 0;
  mostBusy = 0;

  constructor(client: Client, source: ScriptedSource) {
    this.client = client;
    this.source = source;
  }

  /** The server forgets the snapshot; the keeper takes another when it notices. */
  loseSnapshot(): void {
    this.held = undefined;
  }

  readonly openImport = async (request: Omit<ImportRun, 'source'>): Promise<OpenedImport> => {
    this.calls.push('openImport');
    if (this.source.refusal !== undefined)
      throw new GridError(this.source.refusal, 'Opening the source: it is refused.');
    const { sharedSnapshots = true, maxConnections = 3, maxBytesPerSecond, skipped = [] } = this.source;
    const asked = request.input.tables;
    const names = Object.keys(this.source.tables).filter((name) => asked?.includes(`public.${name}`) ?? true);
    return Promise.resolve({
      product: 'Scripted 1.0',
      database: 'history',
      sharedSnapshots,
      consistency: sharedSnapshots ? 'database' : 'table',
      notes: [],
      source: request.input.source ?? 'postgres',
      tables: names.map((name) => ({ schema: 'public', name })),
      skipped,
      maxConnections,
      ...(maxBytesPerSecond === undefined ? {} : { maxBytesPerSecond }),
    });
  };

  readonly holdSnapshot = async (run: ImportRun): Promise<void> => {
    this.calls.push('holdSnapshot');
    const { cancellationSignal } = Context.current();
    const takeOne = async (): Promise<SourceSnapshot> => {
      const snapshot = this.#newSnapshot();
      this.held = snapshot;
      await this.client.workflow.getHandle(run.workflowId, run.workflowRunId).signal('snapshotTaken', { snapshot });
      return snapshot;
    };
    try {
      await takeOne();
      while (!cancellationSignal.aborted) {
        Context.current().heartbeat();
        await Context.current().sleep(50);
        if (this.held === undefined && this.source.isKeeperBlind !== true) await takeOne();
      }
    } finally {
      if (cancellationSignal.aborted) this.held = undefined;
      this.calls.push('holdSnapshot ended');
    }
  };

  readonly planTable = async (request: {
    readonly table: TableId;
    readonly snapshot?: SourceSnapshot;
  }): Promise<PlannedTable> => {
    const { name } = request.table;
    this.calls.push(`planTable ${name}`);
    const table = this.#table(name);
    this.#mustBeHeld(request.snapshot);
    if (table.refusal !== undefined) throw new GridError(table.refusal, `Planning ${name}: column "x" cannot be kept.`);
    const published = this.published.get(name);
    if (published !== undefined) return { kind: 'published', result: published };
    if (table.unchanged === true) return Promise.resolve({ kind: 'unchanged', rows: 7 });
    const rows = table.splits * (table.rowsPerSplit ?? 10);
    return {
      kind: 'planned',
      splits: table.splits,
      estimatedRows: rows,
      estimatedBytes: rows * 20,
      publishAs: 'full',
      remarks: [],
    };
  };

  readonly bringSplits = async (stretch: SplitStretch): Promise<StretchResult> => {
    const { table, from, to, skip } = stretch;
    this.calls.push(`bringSplits ${table.name} ${from}-${to}`);
    this.stretches.push(stretch);
    this.busy += 1;
    this.mostBusy = Math.max(this.mostBusy, this.busy);
    try {
      await this.source.beforeStretch?.(stretch, this);
      const scripted = this.#table(table.name);
      const done = this.work.get(table.name) ?? new Map<number, SourceSnapshot>();
      this.work.set(table.name, done);
      if (scripted.gone !== undefined) throw new GridError(scripted.gone, `Copying ${table.name}: it is gone.`);
      if (scripted.outage !== undefined) {
        throw ApplicationFailure.nonRetryable(`Copying ${table.name}: nobody answers.`, scripted.outage);
      }
      const snapshot = stretch.snapshot ?? this.#newSnapshot();
      const wanted = Array.from({ length: to - from }, (_, at) => from + at).filter((split) => !skip.includes(split));
      for (const split of wanted) {
        this.#mustBeHeld(stretch.snapshot);
        const code = scripted.broken?.get(split);
        if (code !== undefined) {
          throw new GridError(code, `Copying split ${split} of ${table.name}: it is broken.`, { details: { split } });
        }
        done.set(split, snapshot);
      }
      const rows = wanted.length * (scripted.rowsPerSplit ?? 10);
      return { snapshot, splits: wanted.length, rows, textBytes: rows * 20, fileBytes: rows * 5, kept: 0 };
    } finally {
      this.busy -= 1;
    }
  };

  readonly publishTable = async (request: Parameters<ImportActivities['publishTable']>[0]): Promise<TableResult> => {
    const { table, snapshot, publishAs, run } = request;
    this.calls.push(`publishTable ${table.name}`);
    const scripted = this.#table(table.name);
    if (scripted.conflict !== undefined)
      throw new GridError(scripted.conflict, `Publishing ${table.name}: another was first.`);
    const done = this.work.get(table.name) ?? new Map<number, SourceSnapshot>();
    const missing = Array.from({ length: scripted.splits }, (_, split) => split).filter(
      (split) => done.get(split)?.id !== snapshot.id,
    );
    // Final, so that a workflow that breaks the rule fails its test at once.
    if (missing.length > 0)
      throw new GridError('defect', `Publishing ${table.name}: splits ${missing.join()} are not at ${snapshot.id}.`);
    const rows = scripted.splits * (scripted.rowsPerSplit ?? 10);
    const result: TableResult = {
      table,
      publishedAs: publishAs,
      hiveTable: `history_postgres.${table.name}`,
      directory: `/imports/${run.source}/public.${table.name}/run=${run.runId}`,
      rows,
      sourceRows: rows,
      textBytes: rows * 20,
      fileBytes: rows * 5,
      splits: scripted.splits,
      digest: '0'.repeat(32),
      verified: true,
      remarks: [],
      notes: [],
    };
    this.published.set(table.name, result);
    return Promise.resolve(result);
  };

  readonly discardWork = async (request: Parameters<ImportActivities['discardWork']>[0]): Promise<void> => {
    this.calls.push(
      request.tables === undefined ? 'discardWork' : `discardWork ${request.tables.map(({ name }) => name).join()}`,
    );
    if (this.busy > 0) throw new GridError('defect', 'Discarding work while splits are being written.');
    for (const name of request.tables?.map((table) => table.name) ?? [...this.work.keys()]) this.work.delete(name);
    return Promise.resolve();
  };

  #table(name: string): ScriptedTable {
    const table = this.source.tables[name];
    if (table === undefined) throw new GridError('unknown-table', `Reading ${name}: there is no such table.`);
    return table;
  }

  #newSnapshot(): SourceSnapshot {
    this.snapshots += 1;
    return { id: `snapshot-${this.snapshots}`, position: String(this.snapshots), takenAt: new Date().toISOString() };
  }

  #mustBeHeld(snapshot: SourceSnapshot | undefined): void {
    if (snapshot !== undefined && snapshot.id !== this.held?.id) {
      throw new GridError('snapshot-lost', `Reading at ${snapshot.id}: nobody holds it.`);
    }
  }
}
