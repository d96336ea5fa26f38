import { asGridError, GridError } from '../grid/errors.ts';
import { loadConfig, type Config } from './config.ts';
import { createLogger, type Logger } from './logger.ts';
import { createMetrics, type Registry } from './metrics.ts';

/** What every process is given. */
export interface ProcessContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Aborts when the process is told to stop; for start-up steps that wait for a server. */
  readonly stopping: AbortSignal;
}

/** A started process. */
export interface RunningProcess {
  /** Lets go of everything, bounded in time by `SHUTDOWN_TIMEOUT_MS`. Called once. */
  stop(): Promise<void>;
  /** Settles when the process has done its work by itself; absent for processes that run until told to stop. */
  readonly done?: Promise<void>;
}

/** One Ctrl-C reaches a process from its terminal and again through npm; only what comes later is a second one. */
const SAME_SIGNAL_MS = 1_500;
/** Added to the time that components have to stop before the process ends itself. */
const SHUTDOWN_GRACE_MS = 2_000;

/**
 * The life of a process: configuration → start → running → stopping → exit. `SIGTERM` and `SIGINT` stop it cleanly
 * (exit code 0), a second signal ends it at once; what nobody caught ends it with code 1, so that whoever supervises it
 * starts it anew rather than letting it run half dead.
 */
export function runProcess(name: string, start: (context: ProcessContext) => Promise<RunningProcess>): void {
  live(name, start).then(
    (exitCode) => process.exit(exitCode),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
}

async function live(name: string, start: (context: ProcessContext) => Promise<RunningProcess>): Promise<number> {
  const config = loadConfig();
  const logger = createLogger({ name, level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  const metrics = createMetrics(name);
  const stopping = new AbortController();

  const told = new Promise<void>((resolve) => {
    let toldAtMs = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (stopping.signal.aborted) {
        if (performance.now() - toldAtMs < SAME_SIGNAL_MS) return;
        logger.warn({ signal }, 'told to stop a second time: ending at once');
        process.exit(1);
      }
      logger.info({ signal }, 'stopping');
      toldAtMs = performance.now();
      stopping.abort();
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
  const uncaught = new Promise<never>((_resolve, reject) => {
    process.on('uncaughtException', reject);
    process.on('unhandledRejection', reject);
  });

  try {
    const starting = start({ config, logger, metrics, stopping: stopping.signal });
    const running = await Promise.race([starting, uncaught]);
    logger.info('started');
    await Promise.race([told, uncaught, ...(running.done === undefined ? [] : [running.done])]);
    const deadline = deadlineAfter(config.SHUTDOWN_TIMEOUT_MS + SHUTDOWN_GRACE_MS);
    const ending = await Promise.race([running.stop().then(() => 'stopped' as const), uncaught, deadline.promise]);
    deadline.clear();
    if (ending === 'late') {
      logger.error('not everything had stopped in time; what was not committed will be read again');
      return 1;
    }
    logger.info('stopped');
    return 0;
  } catch (error) {
    if (stopping.signal.aborted && error instanceof GridError && error.code === 'shutting-down') return 0;
    const known = asGridError(error, `Running the ${name} process`);
    logger.fatal({ err: known, code: known.code }, known.message);
    return 1;
  }
}

function deadlineAfter(ms: number): { promise: Promise<'late'>; clear: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, ms, 'late');
  });
  return {
    promise,
    clear: () => {
      clearTimeout(timer);
    },
  };
}
