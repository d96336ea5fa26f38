import type { HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { qualifiedName, type HiveClient } from '../../../connectors/hive/hive.ts';
import { GridError, type ErrorCode } from '../../../grid/errors.ts';
import { GENERATION_COLUMN, hiveDatabase, RUN_COLUMN } from '../../../grid/history/hive-name.ts';
import { pause } from '../../../runtime/waiting/pause.ts';
import { segmentName, type CommittedRun, type ImportCommit } from './commit.ts';
import { readingsView } from './telemetry.ts';
import {
  addPartitionsStatement,
  databaseStatements,
  ENCODED_SUFFIX,
  DEFINITION_PROPERTY,
  GENERATION_PROPERTY,
  dropPartitionsStatement,
  formerRunsTable,
  runsTable,
  runsTableStatement,
  shownGeneration,
  tableView,
  type ViewDefinition,
} from './view-statements.ts';

/** Runs that one statement adds: after the loss of a metastore there may be thousands. */
const RUNS_PER_STATEMENT = 500;
/** What Hive says to one of them: that it was second, or (of a database) that it did not come to an end. */
const PASSING: ReadonlySet<string> = new Set<ErrorCode>(['hive-conflict', 'hive-unavailable']);
/** Two publishers may make the same table or partition at once; one of them is then refused. */
const TRIES = 4;
const RETRY_DELAY_MS = 250;

export interface HivePublicationOptions {
  readonly hdfs: HdfsClient;
  readonly hive: HiveClient;
  readonly prefix: string;
  readonly signal?: AbortSignal | undefined;
}

/** Brings Hive to what a commit says. Each step is left out when it has been done, so it can be repeated, also by two at once. */
export class HivePublication {
  readonly #hdfs: HdfsClient;
  readonly #hive: HiveClient;
  readonly #prefix: string;
  readonly #call: { readonly signal?: AbortSignal };

  constructor(options: HivePublicationOptions) {
    this.#hdfs = options.hdfs;
    this.#hive = options.hive;
    this.#prefix = options.prefix;
    this.#call = options.signal === undefined ? {} : { signal: options.signal };
  }

  /**
   * Lets Hive's view show the commit. A reader sees the table as of the commit before or as of this one: what is
   * decisive is one call of the metastore, either the new view or the new partition.
   *
   * @param location the table's directory: where the tables under the view are said to lie
   */
  async show(commit: ImportCommit, location: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await oneAtATime(this.#hive, () => this.#show(commit, location));
        return;
      } catch (error) {
        if (attempt === TRIES || !(error instanceof GridError && PASSING.has(error.code))) throw error;
        await pause(attempt * RETRY_DELAY_MS, this.#call.signal);
      }
    }
  }

  /**
   * Removes what queries of two commits ago still read: first from the metastore, then the files.
   *
   * @param present run directories that are there
   */
  async removeObsolete(commit: ImportCommit, present: ReadonlySet<string>): Promise<void> {
    const { obsolete, runs, retained } = commit;
    const used = new Set([...runs, ...retained].map(({ columns }) => columns));
    const removed = obsolete.filter(({ directory }) => present.has(directory));
    for (const columns of new Set(removed.map((run) => run.columns))) {
      const some = removed.filter((run) => run.columns === columns);
      const statements = used.has(columns)
        ? inSteps(some).map((step) => dropPartitionsStatement(this.#prefix, commit, columns, step))
        : [`DROP TABLE IF EXISTS ${runsTable(this.#prefix, commit, columns)}`];
      for (const statement of statements) {
        await this.#unlessMissing(() => this.#hive.execute(statement, this.#call));
      }
      for (const { directory } of some) await this.#hdfs.delete(directory, { recursive: true });
    }
  }

  async #show(commit: ImportCommit, location: string): Promise<void> {
    const view = tableView(this.#prefix, commit);
    const shown = await this.#propertiesOf(view);
    if (shown === undefined) {
      for (const statement of databaseStatements(this.#prefix, commit)) await this.#hive.execute(statement, this.#call);
    }
    const missing = await this.#missingRuns(commit, location);
    const replace = async (): Promise<void> => {
      if (shown?.get(DEFINITION_PROPERTY) !== view.digest) await this.#hive.execute(view.statement, this.#call);
    };
    // A view of this generation shows a run as soon as it is added, so it has to be able to (its columns, its merging)
    // before; over the runs that were there it says the same as the old one. A view of another generation shows nothing of
    // this one: all its runs have to be there before it is replaced.
    const isSameGeneration = shown?.get(GENERATION_PROPERTY) === shownGeneration(commit);
    if (isSameGeneration) await replace();
    for (const step of inSteps(missing)) {
      await this.#hive.execute(addPartitionsStatement(this.#prefix, commit, step[0].columns, step), this.#call);
    }
    if (!isSameGeneration) await replace();
    await this.#showReadings(commit);
    // At the commit after the one that left them: queries that began before that one are long done.
    if (isSameGeneration || shown?.get(GENERATION_PROPERTY)?.endsWith(ENCODED_SUFFIX) === true)
      await this.#dropFormer(commit);
  }

  /** Drops the tables of earlier versions that no view reads any more; their files stay. */
  async #dropFormer(commit: ImportCommit): Promise<void> {
    for (const columns of Object.keys(commit.columnLists)) {
      const former = formerRunsTable(this.#prefix, commit, columns);
      if (former !== undefined) await this.#hive.execute(`DROP TABLE IF EXISTS ${former}`, this.#call);
    }
  }

  async #showReadings(commit: ImportCommit): Promise<void> {
    const view = readingsView(this.#prefix, commit);
    if (view !== undefined) {
      const shown = await this.#propertiesOf(view);
      if (shown?.get(DEFINITION_PROPERTY) !== view.digest) await this.#hive.execute(view.statement, this.#call);
      return;
    }
    if (commit.formerReadings !== undefined) {
      const name = qualifiedName(hiveDatabase(this.#prefix, commit.source), commit.formerReadings);
      await this.#hive.execute(`DROP VIEW IF EXISTS ${name}`, this.#call);
    }
  }

  /** The commit's runs that Hive does not know, in order; their tables are there then. */
  async #missingRuns(commit: ImportCommit, location: string): Promise<readonly CommittedRun[]> {
    const known = new Set<string>();
    for (const columns of new Set(commit.runs.map((run) => run.columns))) {
      const table = runsTable(this.#prefix, commit, columns);
      const rows = await this.#unlessMissing(() => this.#hive.rows(`SHOW PARTITIONS ${table}`, this.#call));
      if (rows === undefined) {
        await this.#hive.execute(runsTableStatement(this.#prefix, commit, columns, location), this.#call);
      }
      for (const [partition] of rows ?? []) known.add(`${columns} ${partition ?? ''}`);
    }
    return commit.runs.filter((run) => {
      const partition = `${GENERATION_COLUMN}=${run.generation}/${RUN_COLUMN}=${segmentName(run)}`;
      return !known.has(`${run.columns} ${partition}`);
    });
  }

  /** Undefined without a view of this name. */
  async #propertiesOf(view: ViewDefinition): Promise<ReadonlyMap<string, string> | undefined> {
    const name = qualifiedName(view.database, view.name);
    const rows = await this.#unlessMissing(() => this.#hive.rows(`SHOW TBLPROPERTIES ${name}`, this.#call));
    return rows && new Map(rows.map(([property, value]) => [property ?? '', value ?? '']));
  }

  async #unlessMissing<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof GridError && error.code === 'hive-not-found') return undefined;
      throw error;
    }
  }
}

const turns = new WeakMap<HiveClient, Promise<unknown>>();

/**
 * Publications of one process wait for each other: the first tables of a source all make the same databases, and an embedded
 * metastore holds those up for many seconds that get into each other's way.
 */
function oneAtATime<T>(hive: HiveClient, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(hive) ?? Promise.resolve()).then(work);
  turns.set(
    hive,
    turn.catch(() => undefined),
  );
  return turn;
}

/** Neighbouring runs with one list of columns, as many as go into one statement: in between, readers see what some commit said. */
function inSteps(runs: readonly CommittedRun[]): readonly (readonly [CommittedRun, ...CommittedRun[]])[] {
  const steps: [CommittedRun, ...CommittedRun[]][] = [];
  for (const run of runs) {
    const step = steps.at(-1);
    if (step !== undefined && step[0].columns === run.columns && step.length < RUNS_PER_STATEMENT) step.push(run);
    else steps.push([run]);
  }
  return steps;
}
