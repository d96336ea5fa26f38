import { hostname } from 'node:os';
import { GracefulShutdownPeriodExpiredError, NativeConnection, Worker } from '@temporalio/worker';
import { GridError } from '../../grid/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Readiness } from '../../runtime/http/operations-routes.ts';
import { pause } from '../../runtime/waiting/pause.ts';
import { failuresByCode } from './activity-failures.ts';
import { temporalFailure } from './failure.ts';

/** One task queue that a process works on. */
export interface QueueOptions {
  readonly taskQueue: string;
  readonly activities: object;
  /** Activities that run at once at most. */
  readonly activitySlots: number;
  /** File of a prebuilt bundle; absent: the queue is polled for activities only. */
  readonly workflowBundle?: string;
}

export interface TemporalWorkersOptions {
  /** `host:port`; several are tried in turn until one answers. */
  readonly addresses: readonly string[];
  readonly namespace: string;
  readonly queues: readonly QueueOptions[];
  readonly logger: Logger;
  /** What {@link TemporalWorkers.stop} may take, milliseconds. */
  readonly shutdownTimeoutMs: number;
  /** Shown in the Web UI; default: process id and host. */
  readonly identity?: string;
  /** Longest time that a heartbeat is held back, milliseconds; default 500. A killed activity is resumed from the last one sent. */
  readonly heartbeatThrottleMs?: number;
}

const HEARTBEAT_THROTTLE_MS = 500;
const RETRY_DELAY_MS = 1_000;
/** A server that has just been made answers before it knows its namespaces. */
const REFUSAL_PATIENCE_MS = 5_000;
/** What a worker holds of a workflow is given up after this time, when the worker was killed; another one replays it. */
const STICKY_TIMEOUT_MS = 3_000;
const PROBE_TIMEOUT_MS = 3_000;
/** Of the time there is to stop: how long activities may finish undisturbed, and after which they are given up. */
const GRACE_SHARE = 0.15;
const FORCE_SHARE = 0.9;

/**
 * Workers on several task queues of one Temporal namespace, over one connection.
 *
 * `connecting` (Temporal does not answer yet: tried until it does) → `polling` ⇄ Temporal lost (the SDK polls on until it is back) →
 * `stopping` → `stopped`. From `connecting` also → `stopped`. `failed` from `connecting` (the server refuses) and `polling` (a
 * worker ended by itself): `ended` rejects, and the process is to be started anew.
 *
 * Stopping: no new work is taken; activities go on for a while, are then cancelled, and Temporal gives them to another worker at once.
 */
export class TemporalWorkers {
  /** Resolves after {@link stop}; rejects with a GridError when the workers have failed. */
  readonly ended: Promise<void>;
  readonly #options: TemporalWorkersOptions;
  readonly #stopping = new AbortController();
  #state: 'connecting' | 'polling' | 'stopping' | 'stopped' | 'failed' = 'connecting';
  #problem: string;
  #connection: NativeConnection | undefined;
  #workers: readonly Worker[] = [];

  private constructor(options: TemporalWorkersOptions) {
    this.#options = options;
    this.#problem = `connecting to Temporal at ${options.addresses.join(', ')}`;
    this.ended = this.#live();
    // Whoever waits for it is told; until then it must not count as unhandled.
    this.ended.catch(() => undefined);
  }

  /** Begins to connect, and returns at once. */
  static start(options: TemporalWorkersOptions): TemporalWorkers {
    return new TemporalWorkers(options);
  }

  /** Whether tasks can be had now. Asks Temporal, for 3 seconds at most. */
  async readiness(): Promise<Readiness> {
    const connection = this.#connection;
    if (this.#state !== 'polling' || connection === undefined) {
      return {
        ready: false,
        problems: [this.#state === 'connecting' ? this.#problem : `the workers are ${this.#state}`],
      };
    }
    const idle = this.#workers.filter((worker) => worker.getState() !== 'RUNNING');
    const problems = idle.map((worker) => `the worker of ${worker.options.taskQueue} is ${worker.getState()}`);
    try {
      await connection.withDeadline(Date.now() + PROBE_TIMEOUT_MS, () =>
        connection.workflowService.describeNamespace({ namespace: this.#options.namespace }),
      );
    } catch (error) {
      problems.push(temporalFailure(error, `Asking Temporal at ${this.#options.addresses.join(', ')}`).message);
    }
    return { ready: problems.length === 0, problems };
  }

  /** See above. Rejects with `worker-failed` when an activity would not end in time. */
  async stop(): Promise<void> {
    if (this.#state === 'polling' || this.#state === 'connecting') this.#state = 'stopping';
    this.#stopping.abort();
    for (const worker of this.#workers) shutDown(worker);
    await this.ended;
  }

  async #live(): Promise<void> {
    try {
      const connection = await this.#connect();
      if (connection === undefined) return;
      this.#connection = connection;
      try {
        await this.#poll(connection);
      } finally {
        await connection.close().catch(() => undefined);
      }
    } catch (error) {
      this.#state = 'failed';
      throw error;
    }
    this.#state = 'stopped';
  }

  /** Undefined when it was told to stop before. */
  async #connect(): Promise<NativeConnection | undefined> {
    const { addresses, namespace, logger } = this.#options;
    let refusedSinceMs: number | undefined;
    for (let attempt = 0; !this.#stopping.signal.aborted; attempt++) {
      const address = addresses[attempt % addresses.length] ?? '';
      let connection: NativeConnection | undefined;
      try {
        const opened = (connection = await NativeConnection.connect({ address }));
        await opened.withDeadline(Date.now() + PROBE_TIMEOUT_MS, () =>
          opened.workflowService.describeNamespace({ namespace }),
        );
        if (attempt > 0) logger.info({ address }, 'Temporal is there');
        return connection;
      } catch (error) {
        await connection?.close().catch(() => undefined);
        const failure = temporalFailure(error, `Connecting to Temporal at ${address}, namespace ${namespace}`);
        if (failure.code !== 'temporal-unavailable') {
          refusedSinceMs ??= Date.now();
          if (failure.code === 'defect' || Date.now() - refusedSinceMs > REFUSAL_PATIENCE_MS) throw failure;
        } else refusedSinceMs = undefined;
        this.#problem = failure.message;
        if (attempt === 0) logger.warn({ code: failure.code }, `waiting for Temporal. ${failure.message}`);
      }
      await pause(RETRY_DELAY_MS, this.#stopping.signal);
    }
    return undefined;
  }

  async #poll(connection: NativeConnection): Promise<void> {
    const { queues, logger } = this.#options;
    const workers: Worker[] = [];
    for (const queue of queues) workers.push(await this.#create(connection, queue));
    this.#workers = workers;
    if (this.#state === 'connecting') this.#state = 'polling';
    const runs = workers.map(async (worker) => {
      try {
        const running = worker.run();
        if (this.#stopping.signal.aborted) shutDown(worker);
        await running;
      } finally {
        // One that ends, for whatever reason, takes the others with it: the process works as a whole or is started anew.
        for (const other of workers) shutDown(other);
      }
    });
    logger.info({ taskQueues: queues.map(({ taskQueue }) => taskQueue) }, 'polling Temporal');
    const failed = (await Promise.allSettled(runs)).find((run) => run.status === 'rejected');
    if (failed !== undefined) throw workerFailure(failed.reason, this.#state === 'stopping');
    if (!this.#stopping.signal.aborted) throw workerFailure(new Error('it stopped polling'), false);
  }

  #create(connection: NativeConnection, queue: QueueOptions): Promise<Worker> {
    const { namespace, identity, shutdownTimeoutMs } = this.#options;
    const heartbeatThrottleMs = this.#options.heartbeatThrottleMs ?? HEARTBEAT_THROTTLE_MS;
    return Worker.create({
      connection,
      namespace,
      identity: identity ?? `${process.pid}@${hostname()}`,
      taskQueue: queue.taskQueue,
      activities: queue.activities,
      ...(queue.workflowBundle === undefined ? {} : { workflowBundle: { codePath: queue.workflowBundle } }),
      interceptors: { activity: [failuresByCode] },
      maxConcurrentActivityTaskExecutions: queue.activitySlots,
      activityTaskPollerBehavior: { type: 'simple-maximum', maximum: Math.min(queue.activitySlots, 3) },
      maxConcurrentWorkflowTaskExecutions: 10,
      workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 4 },
      stickyQueueScheduleToStartTimeout: STICKY_TIMEOUT_MS,
      maxHeartbeatThrottleInterval: heartbeatThrottleMs,
      defaultHeartbeatThrottleInterval: heartbeatThrottleMs,
      shutdownGraceTime: Math.round(shutdownTimeoutMs * GRACE_SHARE),
      shutdownForceTime: Math.round(shutdownTimeoutMs * FORCE_SHARE),
    }).catch((error: unknown) => {
      throw temporalFailure(error, `Starting the worker of task queue ${queue.taskQueue}`);
    });
  }
}

function shutDown(worker: Worker): void {
  if (worker.getState() === 'RUNNING') worker.shutdown();
}

function workerFailure(error: unknown, wasStopping: boolean): GridError {
  if (wasStopping && error instanceof GracefulShutdownPeriodExpiredError) {
    return new GridError(
      'worker-failed',
      'Stopping the batch workers: an activity did not end within the time to stop. Temporal gives it to another worker; raise SHUTDOWN_TIMEOUT_MS if that happens often.',
      { cause: error },
    );
  }
  const known = temporalFailure(error, 'Polling Temporal');
  if (known.code !== 'defect') return known;
  return new GridError(
    'worker-failed',
    `Polling Temporal: a worker ended by itself: ${error instanceof Error ? error.message : String(error)}. Start the process again.`,
    { cause: error },
  );
}
