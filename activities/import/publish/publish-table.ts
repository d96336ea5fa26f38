import { GridError } from '../../../grid/errors.ts';
import type { ImportActivities, ImportRun, TableResult } from '../../../workflows/import/activity-contract.ts';
import type { TableId } from '../../../grid/history/sql-source.ts';
import type { ImportDependencies } from '../dependencies.ts';
import { withHeartbeats } from '../../running/heartbeats.ts';
import { runDirectory, tableDirectory } from '../staging/paths.ts';
import { tableName } from '../table-names.ts';
import { WorkDirectory, type WorkPlan } from '../staging/work-directory.ts';
import { runOf } from './commit.ts';
import { CommitLog, type ImportCommit } from './commit-log.ts';
import { HivePublication } from './hive-publication.ts';
import { leftOutNotes } from './left-out.ts';
import { NameClaims } from './name-claims.ts';
import { nextCommit, refuseUnfit, resultOf } from './next-commit.ts';
import { removeOrphans, runDirectories } from './run-directories.ts';
import { verifyRun, writeManifest } from './verify-run.ts';

export type PublishRequest = Parameters<ImportActivities['publishTable']>[0];

/** What publishing needs of the import's dependencies. */
export type PublishDependencies = Pick<ImportDependencies, 'hdfs' | 'hive' | 'logger'> & {
  readonly options: Pick<ImportDependencies['options'], 'importsDirectory' | 'hiveDatabasePrefix'>;
};

/** Commits that are looked at for one of the run: so many others may have followed it before it is asked for again. */
const COMMITS_LOOKED_BACK = 20;

/** The activity: see {@link publish}. */
export async function publishTable(deps: PublishDependencies, request: PublishRequest): Promise<TableResult> {
  return withHeartbeats((signal) => publish(deps, request, signal));
}

/**
 * Publishes what a run has brought of a table: proves that it is complete, gives it its place, commits it, and lets Hive show
 * it. Killed at any point and run again, or run twice at once, it comes to the same.
 *
 * States of a run's files: `work/data` → `run=<id>`, not committed → `run=<id>`, committed by the rename of the record → shown in
 * Hive → the work directory gone. Each attempt looks where it stands and does the rest.
 *
 * @throws GridError `import-verification-failed`; `import-conflict`: another import of the table was committed since this one was
 * planned; `table-changed`: it does not fit what it is to be added to; `hdfs-…`, `hive-…`
 */
export async function publish(
  deps: PublishDependencies,
  request: PublishRequest,
  signal?: AbortSignal,
): Promise<TableResult> {
  const { hdfs, options, logger } = deps;
  const { run, table } = request;
  const log = new CommitLog(hdfs, options.importsDirectory, run.source, table);
  const work = new WorkDirectory(hdfs, options.importsDirectory, run, table);
  const commit = await commitOnce({ ...request, deps, log, work, signal });
  signal?.throwIfAborted();
  await show(deps, { run, table, log, signal });
  await log.prune(commit.seq);
  await removeOrphans(hdfs, options.importsDirectory, run.source, table);
  await work.delete();
  const { hiveDatabasePrefix: prefix } = options;
  const result = resultOf(commit, prefix, await leftOutNotes({ hive: deps.hive, prefix, logger, signal }, commit));
  logger.info(
    { table: tableName(table), runId: run.runId, commit: commit.seq, rows: result.rows, hiveTable: result.hiveTable },
    'a table was published',
  );
  return result;
}

interface Publication extends PublishRequest {
  readonly deps: PublishDependencies;
  readonly log: CommitLog;
  readonly work: WorkDirectory;
  readonly signal: AbortSignal | undefined;
}

/** The run's commit, also when another attempt makes it meanwhile, and takes the work away from under this one. */
async function commitOnce(publication: Publication): Promise<ImportCommit> {
  try {
    return await commitRun(publication);
  } catch (error) {
    const { log, run } = publication;
    const committed = await earlierCommit(log, await log.newest(), run);
    if (committed === undefined) throw error;
    return committed;
  }
}

/** The run's commit: the one that was made before, or a new one. */
async function commitRun(publication: Publication): Promise<ImportCommit> {
  const { deps, log, work, run, table, publishAs } = publication;
  const last = await log.newest();
  if (last?.runId === run.runId) return last;
  const plan = await work.readPlan();
  if (plan === undefined || last?.runId !== plan.basedOn || runOf(last, run.runId) !== undefined) {
    const committed = await earlierCommit(log, last, run);
    if (committed !== undefined) return committed;
  }
  if (plan === undefined) {
    throw new GridError(
      'import-conflict',
      `Publishing ${tableName(table)}: the run ${run.runId} has no work on it in ${work.root}. It was discarded; start the import again.`,
    );
  }
  const { importsDirectory } = deps.options;
  const directory = runDirectory(importsDirectory, run.source, table, run.runId);
  if (last?.runId !== plan.basedOn || runOf(last, run.runId) !== undefined) return giveUp(publication, directory, last);
  if (plan.publishAs !== publishAs) {
    throw new GridError(
      'table-changed',
      `Publishing ${tableName(table)}: it was to be published by ${publishAs}, but has been planned again since, by ${plan.publishAs}. Start the import again.`,
    );
  }
  refuseUnfit(last, plan.plan, plan.publishAs);
  const figures = await placeRun(publication, plan, directory);
  const names = new NameClaims(deps.hdfs, importsDirectory, run.source, work.root);
  const hiveTable = last?.hiveTable ?? (await names.claimTable(table));
  const readings = plan.telemetry && (last?.readings ?? (await names.claimReadings(table, hiveTable)));
  const present = await runDirectories(deps.hdfs, tableDirectory(importsDirectory, run.source, table));
  publication.signal?.throwIfAborted();
  const commit = nextCommit(last, {
    ...publication,
    plan,
    directory,
    figures,
    hiveTable,
    readings,
    present,
    committedAt: new Date().toISOString(),
  });
  if (await log.commit(commit, work.root)) return commit;
  const winner = await log.newest();
  const committed = await earlierCommit(log, winner, run);
  return committed ?? giveUp(publication, directory, winner);
}

/** The run's files in their place, verified there, where nobody writes any more. */
async function placeRun(
  { deps, log, work, run, table, snapshot }: Publication,
  plan: WorkPlan,
  directory: string,
): Promise<Awaited<ReturnType<typeof verifyRun>>['figures']> {
  const { hdfs, options } = deps;
  const waiting = (await hdfs.status(work.dataDirectory)) !== undefined;
  if ((await hdfs.status(directory)) === undefined) {
    try {
      if (!waiting) throw lost(table, work.root);
      const { dataDirectory, root } = work;
      const verified = await verifyRun(hdfs, work, { plan, directory: dataDirectory, snapshot });
      const about = { table, runId: run.runId, plan, snapshot };
      await writeManifest(hdfs, { directory: dataDirectory, workDirectory: root }, about, verified);
      await hdfs.makeDirectory(tableDirectory(options.importsDirectory, run.source, table));
      if (!(await hdfs.rename(dataDirectory, directory))) throw lost(table, root);
    } catch (error) {
      // Unless another attempt has moved it meanwhile.
      if ((await hdfs.status(directory)) === undefined) throw error;
    }
  }
  try {
    // Again: until the rename an attempt that was given up could still exchange a file.
    return (await verifyRun(hdfs, work, { plan, directory, snapshot })).figures;
  } catch (error) {
    if (!(error instanceof GridError && error.code === 'import-verification-failed')) throw error;
    // Committed by another attempt, which has deleted the records since.
    if ((await earlierCommit(log, await log.newest(), run)) !== undefined) throw error;
    // Of an earlier decision, or changed at the last moment: back to where splits are brought again.
    if (waiting && (await hdfs.status(work.dataDirectory)) !== undefined)
      await hdfs.delete(directory, { recursive: true });
    else await hdfs.rename(directory, work.dataDirectory);
    throw error;
  }
}

/** Another import came first: what this one has is of no use any more. */
async function giveUp(
  { deps, run, table }: Publication,
  directory: string,
  winner: ImportCommit | undefined,
): Promise<never> {
  // Of a run that was resumed though it was published before, the directory is in use.
  if (runOf(winner, run.runId) === undefined) await deps.hdfs.delete(directory, { recursive: true });
  const newest = winner === undefined ? 'there is no commit of it' : `its newest commit is of the run ${winner.runId}`;
  throw new GridError(
    'import-conflict',
    `Publishing ${tableName(table)}: the run ${run.runId} was planned on another state of the table, or its work was discarded; ${newest}. Start the import again.`,
  );
}

/** The commit of the run, if others have followed it. */
async function earlierCommit(
  log: CommitLog,
  newest: ImportCommit | undefined,
  { runId }: Pick<ImportRun, 'runId'>,
): Promise<ImportCommit | undefined> {
  const named = runOf(newest, runId);
  let commit = named === undefined ? newest : await log.read(named.seq);
  for (let looked = 0; commit !== undefined && looked < COMMITS_LOOKED_BACK; looked++) {
    if (commit.runId === runId) return commit;
    commit = commit.seq === 1 ? undefined : await log.read(commit.seq - 1);
  }
  return undefined;
}

/**
 * Lets Hive show the newest commit of a table, in case the run that made it came no further.
 *
 * @throws GridError `hdfs-…`, `hive-…`
 */
export async function showNewest(
  deps: PublishDependencies,
  { run, table }: Pick<PublishRequest, 'run' | 'table'>,
  signal?: AbortSignal,
): Promise<void> {
  const log = new CommitLog(deps.hdfs, deps.options.importsDirectory, run.source, table);
  await show(deps, { run, table, log, signal });
}

/** Hive as the newest commit says, whosever that is: an attempt that was held up must not bring back what was there before. */
async function show(
  { hdfs, hive, options }: PublishDependencies,
  { run, table, log, signal }: Pick<Publication, 'run' | 'table' | 'log' | 'signal'>,
): Promise<void> {
  const publication = new HivePublication({ hdfs, hive, prefix: options.hiveDatabasePrefix, signal });
  const location = tableDirectory(options.importsDirectory, run.source, table);
  let commit = await log.newest();
  while (commit !== undefined) {
    await publication.show(commit, location);
    await publication.removeObsolete(commit, await runDirectories(hdfs, location));
    const now = await log.newest();
    if (now?.seq === commit.seq) return;
    commit = now;
  }
}

function lost(table: TableId, root: string): GridError {
  return new GridError(
    'import-verification-failed',
    `Publishing ${tableName(table)}: the files of the run are gone from ${root}. Its splits are brought again.`,
  );
}
