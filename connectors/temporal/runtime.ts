import { createServer } from 'node:net';
import { Runtime, type Logger as SdkLogger } from '@temporalio/worker';
import { GridError } from '../../grid/errors.ts';
import type { Logger } from '../../runtime/logger.ts';

/** The SDK's own part of a process: its threads, logs and metrics. */
export interface TemporalRuntime {
  /** What the SDK has measured (`temporal_…`), in Prometheus's text format; empty when it does not answer. */
  metrics(): Promise<string>;
}

/** How often a port that was free a moment ago may turn out to be taken. */
const PORT_TRIES = 5;
const SCRAPE_TIMEOUT_MS = 2_000;

/** A queue that is polled for activities alone is meant to be. */
const ACTIVITIES_ONLY = 'No workflows registered';
const HIDDEN = new Set(['taskToken', 'isLocal', 'namespace']);

type SdkLevel = Parameters<SdkLogger['log']>[0];
const LEVELS = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
} as const satisfies Record<SdkLevel, string>;

/**
 * Sets up the SDK's runtime, once in a process and before its first worker: logs go to `logger`, metrics are served inside, and
 * no signal is handled, since the process does that.
 *
 * @throws GridError `worker-failed` when the SDK cannot be started
 */
export async function installTemporalRuntime(options: {
  readonly logger: Logger;
  /** Put on each metric as the label `process`. */
  readonly processName: string;
}): Promise<TemporalRuntime> {
  for (let attempt = 1; ; attempt++) {
    // The SDK does not tell which port it has got, so it is told one.
    const bindAddress = `127.0.0.1:${await freePort()}`;
    try {
      Runtime.install({
        logger: bridgeTo(options.logger),
        shutdownSignals: [],
        telemetryOptions: {
          logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
          metrics: {
            prometheus: { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true },
            globalTags: { process: options.processName },
          },
        },
      });
      return { metrics: () => scrape(`http://${bindAddress}/metrics`) };
    } catch (error) {
      if (attempt === PORT_TRIES || !String(error).includes('in use')) {
        throw new GridError('worker-failed', `Starting the Temporal SDK: ${String(error)}. Start the process again.`, {
          cause: error,
        });
      }
    }
  }
}

/** The SDK's logger interface over a logger of ours. */
export function bridgeTo(logger: Logger): SdkLogger {
  const log = (level: SdkLevel, message: string, meta: object = {}): void => {
    const { sdkComponent, ...rest } = { sdkComponent: undefined, ...meta } as Record<string, unknown>;
    // Which workflow and activity it was stays; how the SDK finds it does not help a reader.
    const fields = Object.fromEntries(Object.entries(rest).filter(([name]) => !HIDDEN.has(name)));
    // Of its own life the SDK tells much; what workflows and activities say counts as it was said.
    const isOwn = sdkComponent !== 'workflow' && sdkComponent !== 'activity';
    const isTalk = isOwn && (level === 'INFO' || message.startsWith(ACTIVITIES_ONLY));
    logger[isTalk ? 'debug' : LEVELS[level]](fields, message);
  };
  return {
    log,
    trace: (message, meta) => {
      log('TRACE', message, meta);
    },
    debug: (message, meta) => {
      log('DEBUG', message, meta);
    },
    info: (message, meta) => {
      log('INFO', message, meta);
    },
    warn: (message, meta) => {
      log('WARN', message, meta);
    },
    error: (message, meta) => {
      log('ERROR', message, meta);
    },
  };
}

async function scrape(url: string): Promise<string> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(SCRAPE_TIMEOUT_MS) });
    return reply.ok ? await reply.text() : '';
  } catch {
    return '';
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}
