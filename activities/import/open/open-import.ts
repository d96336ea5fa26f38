import { Context } from '@temporalio/activity';
import { randomUUID } from 'node:crypto';
import pRetry from 'p-retry';
import { entriesIfThere, type HdfsClient } from '../../../connectors/hdfs/hdfs.ts';
import { GridError } from '../../../grid/errors.ts';
import { firstAbortionOf } from '../../../runtime/waiting/abortion.ts';
import type { ImportRun, OpenedImport } from '../../../workflows/import/activity-contract.ts';
import type { SourceName, SourceIdentity, SqlSource } from '../../../grid/history/sql-source.ts';
import type { ImportInput } from '../../../workflows/import/input.ts';
import { chooseTables } from './chosen-tables.ts';
import { closing } from '../closing.ts';
import type { ImportDependencies } from '../dependencies.ts';
import { deleteWork, workOf } from '../staging/discard-work.ts';
import { KEEP_WORK_MS } from '../plan/plan-table.ts';
import { readWorkPlan } from '../staging/work-directory.ts';

/** A source that does not answer is tried again for so long; then somebody has to look. */
const SOURCE_PATIENCE_MS = 10_000;
const SOURCE_RETRY = { minTimeout: 500, maxTimeout: 2_000, factor: 2, retries: 20, maxRetryTime: SOURCE_PATIENCE_MS };

const HIVE_PATIENCE_MS = 30_000;

/**
 * Checks what an import is asked for, and all that it will need, before anything is begun: input against configuration, the
 * source and its tables, HDFS, Hive. Work that earlier runs gave up long ago is deleted.
 *
 * @throws GridError `invalid-input`, `invalid-configuration`, `source-unreachable` (after some seconds), `source-denied`,
 * `source-tls-refused`, `unsupported-server`, `unknown-table`; and as HDFS and Hive do, whose outages are worth another try
 */
export async function openImport(deps: ImportDependencies, request: Omit<ImportRun, 'source'>): Promise<OpenedImport> {
  const { input } = request;
  const { options } = deps;
  const signal = Context.current().cancellationSignal;
  const name = sourceOf(input, options.sources);
  checkInput(input);
  const opened = await closing(deps.openSource(name), async (source) => {
    const identity = await identified(source, signal);
    const connections = connectionsOf(input, options.maxConnections, identity);
    const { tables, skipped } = chooseTables(identity.database, await source.tables(signal), input);
    return { identity, connections, tables, skipped };
  });
  await Promise.all([checkHdfs(deps), checkHive(deps, signal)]);
  await deleteAbandonedWork(deps, name, request);
  const { identity, connections } = opened;
  const maxBytesPerSecond = input.maxBytesPerSecond ?? options.maxBytesPerSecond;
  return {
    product: identity.product,
    database: identity.database,
    sharedSnapshots: identity.sharedSnapshots,
    consistency: identity.consistency,
    notes: [...identity.notes, ...connections.notes],
    source: name,
    tables: opened.tables,
    skipped: opened.skipped,
    maxConnections: connections.max,
    ...(maxBytesPerSecond === undefined ? {} : { maxBytesPerSecond }),
  };
}

function sourceOf(input: ImportInput, sources: readonly SourceName[]): SourceName {
  const name = input.source ?? sources[0];
  if (name !== undefined && sources.includes(name)) return name;
  const variable = name === 'sqlserver' ? 'HISTORY_MSSQL_URL' : 'HISTORY_POSTGRES_URL';
  throw new GridError(
    'invalid-configuration',
    `Importing from ${name ?? 'a history database'}: no address is configured. Set ${variable}, or name another source.`,
  );
}

/** What the fields mean together. */
function checkInput(input: ImportInput): void {
  if (input.reconcile && input.mode !== 'merge') {
    throw new GridError(
      'invalid-input',
      `Importing with mode ${input.mode} and reconcile: reconcile belongs to mode merge${input.mode === 'full' ? ' (full drops deleted rows anyway)' : ''}. Leave it out, or take mode merge.`,
    );
  }
}

/** How many connections the run may use. */
function connectionsOf(
  input: ImportInput,
  configured: number,
  identity: SourceIdentity,
): { readonly max: number; readonly notes: readonly string[] } {
  const asked = input.maxConnections ?? configured;
  const max = Math.min(asked, configured);
  if (identity.sharedSnapshots && max < 2) {
    throw new GridError(
      input.maxConnections === undefined || configured < 2 ? 'invalid-configuration' : 'invalid-input',
      `Importing ${identity.database} with ${max} connection: one holds the snapshot, so at least 2 are needed. Raise ${configured < 2 ? 'HISTORY_MAX_CONNECTIONS' : 'maxConnections'}.`,
    );
  }
  const notes = asked > max ? [`${asked} connections were asked for; HISTORY_MAX_CONNECTIONS allows ${max}.`] : [];
  return { max, notes };
}

/** @throws GridError `source-unreachable` in place of `source-unavailable`, when it stays so */
async function identified(source: SqlSource, signal: AbortSignal): Promise<SourceIdentity> {
  try {
    return await pRetry(() => source.identify(signal), {
      ...SOURCE_RETRY,
      signal,
      shouldRetry: ({ error }) => error instanceof GridError && error.code === 'source-unavailable',
    });
  } catch (error) {
    if (!(error instanceof GridError && error.code === 'source-unavailable')) throw error;
    throw new GridError('source-unreachable', error.message, { cause: error });
  }
}

/** Hive answers. Publishing has more patience, but an import that could not be seen afterwards is not begun. */
async function checkHive({ hive }: ImportDependencies, signal: AbortSignal): Promise<void> {
  const patience = AbortSignal.timeout(HIVE_PATIENCE_MS);
  const either = firstAbortionOf([signal, patience]);
  try {
    await hive.execute('SHOW DATABASES', { signal: either.signal });
  } catch (error) {
    if (!patience.aborted || signal.aborted) throw error;
    throw new GridError(
      'hive-timeout',
      `Asking Hive for its databases: no answer within ${HIVE_PATIENCE_MS} ms. Look at HiveServer2, then start the import again.`,
      { cause: error },
    );
  } finally {
    either.forget();
  }
}

/** HDFS answers, and the directory of imports can be written to. */
async function checkHdfs({ hdfs, options }: ImportDependencies): Promise<void> {
  await hdfs.health();
  const probe = `${options.importsDirectory}/.tmp/.probe-${randomUUID()}`;
  await hdfs.makeDirectory(probe);
  await hdfs.delete(probe, { recursive: true });
}

/** Deletes what runs have left that nobody will take up any more. That it fails is no reason not to import. */
async function deleteAbandonedWork(
  { hdfs, options, logger }: ImportDependencies,
  source: SourceName,
  { runId, input }: Pick<ImportRun, 'runId' | 'input'>,
): Promise<void> {
  const nowMs = Date.now();
  try {
    for await (const work of workOf(hdfs, options.importsDirectory, source)) {
      const isOurs = work.runId === runId || work.runId === input.resume;
      if (isOurs || nowMs - work.modifiedAtMs < KEEP_WORK_MS) continue;
      if (await isAbandoned(hdfs, work.path, nowMs)) {
        await deleteWork(hdfs, work.path);
        logger.info({ path: work.path }, 'work that a run gave up long ago was deleted');
      }
    }
  } catch (error) {
    logger.warn({ error }, 'deleting work that earlier runs gave up failed');
  }
}

async function isAbandoned(hdfs: HdfsClient, root: string, nowMs: number): Promise<boolean> {
  for await (const { modifiedAtMs } of entriesIfThere(hdfs.list(root)))
    if (nowMs - modifiedAtMs < KEEP_WORK_MS) return false;
  try {
    const plan = await readWorkPlan(hdfs, root);
    return plan === undefined || plan.keepUntilMs < nowMs;
  } catch (error) {
    // What cannot be read cannot be taken up either.
    if (error instanceof GridError && error.code === 'defect') return true;
    throw error;
  }
}
