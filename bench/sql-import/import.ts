/**
 * The product's own way, as its users see it: a batch worker as a process of its own, and the workflow `importSqlHistory` from
 * its start to its result, with Hive's table at its end. Gzip and verification are on, as they are by default.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { HiveClient, quoteIdentifier } from '../../connectors/hive/hive.ts';
import { TemporalClient } from '../../connectors/temporal/client.ts';
import type { ImportSummary } from '../../workflows/import/contract.ts';
import type { SourceName } from '../../grid/history/sql-source.ts';
import type { Config } from '../../runtime/config.ts';
import { createLogger } from '../../runtime/logger.ts';
import { WorkerProcess } from '../../test/support/worker-process.ts';
import { cpuSeconds, machineCpuSeconds } from '../compare/process-usage.ts';
import type { SideResult } from '../compare/result.ts';
import { spanOfActivity } from './activity-span.ts';

const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 100;

export interface ImportSideRun {
  readonly source: SourceName;
  /** `schema.table`. */
  readonly table: string;
  readonly rows: number;
  /** HDFS directory for imports, of this run alone. */
  readonly directory: string;
  /** Of this run alone: names its task queue and its Hive databases; `[a-z0-9_]`. */
  readonly name: string;
}

/** What was measured, and the digest of all rows, which is the same for the same table. */
export type ImportSideResult = SideResult & { readonly digest: string };

/** @throws Error when the worker does not get ready, the import fails, or has not imported and verified every row */
export async function runImport(config: Config, run: ImportSideRun, signal: AbortSignal): Promise<ImportSideResult> {
  const port = await freePort();
  const worker = new WorkerProcess('npm:worker:batch', {
    TEMPORAL_TASK_QUEUE: run.name,
    HDFS_IMPORTS_DIRECTORY: run.directory,
    HIVE_DATABASE_PREFIX: run.name,
    BATCH_METRICS_PORT: String(port),
    NIGHTLY_IMPORT: 'off',
    LOG_LEVEL: 'warn',
  });
  const temporal = new TemporalClient({
    address: config.TEMPORAL_ADDRESS[0] ?? '',
    namespace: config.TEMPORAL_NAMESPACE,
    identity: 'bench',
  });
  try {
    await waitUntilReady(worker, `http://${config.OPERATIONS_HOST}:${port}/readyz`, signal);
    return await measure(temporal, worker, run, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`the import failed; the end of the worker's log:\n${worker.output}`, { cause: error });
  } finally {
    await worker.stop();
    await temporal.close();
    await dropHiveDatabases(config, run);
  }
}

async function measure(
  temporal: TemporalClient,
  worker: WorkerProcess,
  run: ImportSideRun,
  signal: AbortSignal,
): Promise<ImportSideResult> {
  const cpuBefore = cpuSeconds(worker.pid);
  const machineCpuBefore = machineCpuSeconds();
  const startedMs = performance.now();
  const handle = await temporal.sdk.workflow.start('importSqlHistory', {
    taskQueue: run.name,
    workflowId: run.name,
    args: [{ source: run.source, tables: [run.table] }],
  });
  const summary = await resultOf(handle, signal);
  const seconds = (performance.now() - startedMs) / 1_000;
  const millions = run.rows / 1e6;
  const measured = {
    records: run.rows,
    seconds,
    recordsPerSecond: Math.round(run.rows / seconds),
    cpuSecondsPerMillion: (cpuSeconds(worker.pid) - cpuBefore) / millions,
    machineCpuSecondsPerMillion: (machineCpuSeconds() - machineCpuBefore) / millions,
    peakResidentMiB: Math.round(worker.peakResidentMiB),
  };
  const [table] = summary.tables;
  if (table?.state !== 'published' || table.rows !== run.rows || !table.verified) {
    throw new Error(`the import did not publish and verify ${run.rows} rows: ${JSON.stringify(summary)}`);
  }
  const transfer = await spanOfActivity(temporal, handle.workflowId, 'bringSplits');
  return {
    ...measured,
    transferRecordsPerSecond: Math.round((run.rows / (transfer.endedMs - transfer.startedMs)) * 1_000),
    digest: table.digest,
  };
}

/** @throws the abort's reason, after the workflow was terminated; whatever the workflow fails with */
async function resultOf(handle: WorkflowHandle, signal: AbortSignal): Promise<ImportSummary> {
  signal.throwIfAborted();
  const stopped = new Promise<never>((_resolve, reject) => {
    const stop = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return (await Promise.race([handle.result(), stopped])) as ImportSummary;
  } catch (error) {
    if (signal.aborted) await handle.terminate('the benchmark was stopped');
    throw error;
  }
}

async function waitUntilReady(worker: WorkerProcess, url: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    signal.throwIfAborted();
    if (!worker.isRunning) throw new Error('the batch worker ended by itself');
    if (performance.now() > deadlineMs) throw new Error('the batch worker does not get ready');
    const isReady = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await delay(READY_POLL_MS);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function dropHiveDatabases(config: Config, run: ImportSideRun): Promise<void> {
  const logger = createLogger({ name: 'bench', level: 'error', format: 'json' });
  const hive = new HiveClient({ url: config.HIVE_URL, user: config.HDFS_USER, callTimeoutMs: 60_000, logger });
  try {
    for (const database of [`${run.name}_${run.source}`, `${run.name}_${run.source}_runs`]) {
      await hive.execute(`DROP DATABASE IF EXISTS ${quoteIdentifier(database)} CASCADE`);
    }
  } finally {
    await hive.close();
  }
}
