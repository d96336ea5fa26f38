import { asGridError } from '../../../../grid/errors.ts';
import { withoutPassword, type Config } from '../../../../runtime/config.ts';
import { holdsOtherTables, provideHistory } from '../../../datasets/history/history.ts';
import type { ProvidedTable } from '../../../datasets/history/sample-table.ts';
import type { SimbenchResult } from '../../../datasets/simbench.ts';
import { isThisMachine, parseAddress, type ServerName } from '../../../native/settings.ts';
import type { BroughtUp } from '../../../native/stack.ts';
import { readHdfsUsage } from '../observe/hdfs-usage.ts';
import { Rate } from '../observe/rate.ts';
import type { ImportState } from './import-state.ts';
import { ImportWorkflow } from './import-workflow.ts';

export interface FirstImportOptions {
  readonly config: Config;
  readonly simbench: SimbenchResult | undefined;
  /** Resolves when the server is up; rejects with why it is not. */
  readonly whenUp: (name: ServerName) => Promise<BroughtUp>;
  /** Starts the batch worker; rejects with why it does not run. */
  readonly startWorker: () => Promise<void>;
  /** Told what the loading of the sample history is busy with. */
  readonly onLoading: (text: string) => void;
  readonly onLoaded: (tables: readonly ProvidedTable[]) => void;
}

/** What an import reads, runs in, and ends in. */
export const IMPORT_SERVERS: readonly ServerName[] = ['postgres', 'temporal', 'hive'];
const RATE_WINDOW_MS = 15_000;

/**
 * The import of SQL history beside the streaming: waits for the servers, loads the sample history, starts the batch worker and the
 * workflow, and follows it. See {@link ImportState}. Whatever fails in it is told and hinders nothing else.
 */
export class FirstImport {
  readonly #options: FirstImportOptions;
  readonly #rate = new Rate(RATE_WINDOW_MS);
  readonly #waitsFor = new Set<string>();
  #state: ImportState = { kind: 'waiting', waitsFor: 'the servers' };

  constructor(options: FirstImportOptions) {
    this.#options = options;
  }

  get state(): ImportState {
    return this.#state;
  }

  /** Resolves when there is nothing more to do. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    let workflow: ImportWorkflow | undefined;
    try {
      // Side by side, since Hive takes its time to come up.
      const [isWanted] = await Promise.all([
        this.#loadHistory(signal),
        this.#startWorker(signal),
        ...IMPORT_SERVERS.map((name) => this.#waitFor(name, this.#options.whenUp(name))),
      ]);
      if (!isWanted) return;
      workflow = await this.#waitFor(
        'Temporal',
        ImportWorkflow.start(this.#options.config, () => this.#isImported(), signal),
      );
      await this.#follow(workflow, signal);
    } catch (error) {
      if (signal.aborted) {
        this.#state =
          workflow === undefined
            ? { kind: 'off', reason: '' }
            : { kind: 'interrupted', workflowId: workflow.workflowId };
        return;
      }
      const { message } = asGridError(error, 'Importing SQL history');
      this.#state = { kind: 'failed', workflowId: workflow?.workflowId, message };
    } finally {
      await workflow?.close();
    }
  }

  /** Makes what is waited for part of the state for as long as it lasts. */
  async #waitFor<T>(what: string, work: Promise<T>): Promise<T> {
    this.#waitsFor.add(what);
    this.#tellWaiting();
    try {
      return await work;
    } finally {
      this.#waitsFor.delete(what);
      this.#tellWaiting();
    }
  }

  #tellWaiting(): void {
    if (this.#state.kind === 'waiting') this.#state = { kind: 'waiting', waitsFor: [...this.#waitsFor].join(', ') };
  }

  async #startWorker(signal: AbortSignal): Promise<void> {
    await this.#options.whenUp('temporal');
    signal.throwIfAborted();
    await this.#waitFor('the batch worker', this.#options.startWorker());
  }

  /** @returns false when the history is not to be imported */
  async #loadHistory(signal: AbortSignal): Promise<boolean> {
    const { config, simbench, whenUp, onLoading, onLoaded } = this.#options;
    const databaseUrl = config.HISTORY_POSTGRES_URL;
    const postgres = await whenUp('postgres');
    signal.throwIfAborted();
    if (!(await isForImport(databaseUrl, config, postgres, signal))) {
      const where = withoutPassword(databaseUrl);
      const reason = `${where} is not this stack's own, so it is not read unasked: \`npm run job -- importSqlHistory --input '{}'\` imports it.`;
      this.#state = { kind: 'off', reason };
      return false;
    }
    if (config.START_HISTORY_ROWS === 0) return true;
    const providing = provideHistory({
      databaseUrl,
      simbenchDirectory: simbench?.kind === 'ready' ? simbench.directory : undefined,
      rows: config.START_HISTORY_ROWS,
      progress: onLoading,
      signal,
    });
    onLoaded(await this.#waitFor('sample history', providing));
    return true;
  }

  async #follow(workflow: ImportWorkflow, signal: AbortSignal): Promise<void> {
    const { workflowId } = workflow;
    this.#state = { kind: 'running', workflowId, progress: undefined, rowsPerSecond: undefined };
    const end = await workflow.follow((progress) => {
      this.#rate.add(progress.total.rows, performance.now());
      this.#state = { kind: 'running', workflowId, progress, rowsPerSecond: this.#rate.perSecond };
    }, signal);
    this.#state = end.kind === 'done' ? { ...end, workflowId } : { ...end, workflowId };
  }

  async #isImported(): Promise<boolean> {
    const { WEBHDFS_URL, HDFS_USER, HDFS_IMPORTS_DIRECTORY } = this.#options.config;
    const { files } = await readHdfsUsage(WEBHDFS_URL, HDFS_USER, `${HDFS_IMPORTS_DIRECTORY}/postgres`);
    return files > 0;
  }
}

/**
 * The database of a company is not imported without being asked to, let alone filled with samples: it has to be on the server of the
 * native stack, or on this machine with nothing else in it.
 */
async function isForImport(
  databaseUrl: string,
  config: Config,
  postgres: BroughtUp,
  signal: AbortSignal,
): Promise<boolean> {
  const { host, port } = parseAddress(databaseUrl);
  if (!isThisMachine(host)) return false;
  const isOfStack = postgres.outcome !== 'external' && port === parseAddress(config.SERVING_DATABASE_URL).port;
  return isOfStack || !(await holdsOtherTables(databaseUrl, signal));
}
