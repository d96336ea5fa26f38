import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GridError } from '../../../../grid/errors.ts';
import { PROJECT_DIRECTORY } from '../../../native/settings.ts';
import { npmScript } from '../../npm-script.ts';
import { Backoff } from '../../../../runtime/waiting/backoff.ts';
import { pause } from '../../../../runtime/waiting/pause.ts';
import { orLate } from '../../../../runtime/waiting/time-limit.ts';
import { unlessAborted } from '../../../../runtime/waiting/abortion.ts';
import { lastWords, runMark } from './last-words.ts';

export interface WorkerSpec {
  readonly name: string;
  /** Path of its script from the project's root. */
  readonly script: string;
  /** Set over the environment of this process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logPath: string;
  /** Base address of its `/healthz`, `/readyz` and `/metrics`. */
  readonly operationsUrl: string;
  /** How long it may take to stop before it is killed. */
  readonly stopTimeoutMs: number;
  /** Whether it may have done its work by itself; otherwise it is started again however it ended. */
  readonly mayFinish: boolean;
}

/** How a worker came to its end without being told. */
export interface Death {
  /** `code 1`, `SIGKILL`. */
  readonly cause: string;
  /** What it said last, in sentences or lines; may be empty. */
  readonly words: string;
}

/** What a worker is doing; see {@link SupervisedWorker}. */
export type WorkerState =
  /** Not started yet. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly sinceMs: number }
  | { readonly kind: 'waiting'; readonly untilMs: number; readonly death: Death }
  | { readonly kind: 'finished' }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'stopped'; readonly how: 'cleanly' | 'killed' | 'failed' };

const HEALTH_POLL_MS = 150;
const HEALTH_TIMEOUT_MS = 2_000;
/** A worker that lives, but does not answer for so long, is left to its own logs and metrics. */
const LONGEST_START_MS = 60_000;
const FIRST_RESTART_DELAY_MS = 1_000;
const LONGEST_RESTART_DELAY_MS = 30_000;
/** Who has run for so long has recovered: the next restart is quick again. */
const RECOVERED_AFTER_MS = 60_000;
const LOG_ROTATE_BYTES = 16 << 20;
const PRELOAD = new URL('../end-with-parent.mjs', import.meta.url).href;

/**
 * A worker as a child process that is started again when it dies.
 *
 *     idle ──start()──► starting …
 *     starting ──/healthz answers──► running ──ends with code 0──► finished
 *        ▲  │ dies                      │ dies
 *        │  └──────────────► waiting ◄──┘
 *        └────────backoff───────┘              any ──stop()──► stopping ──► stopped
 *
 * It has a session of its own, so that a terminal's Ctrl-C reaches only us, who stop the workers in order; see
 * `end-with-parent.mjs` for what happens to it when we are killed.
 */
export class SupervisedWorker {
  readonly spec: WorkerSpec;
  readonly #onDeath: (death: Death, delayMs: number) => void;
  readonly #stopping = new AbortController();
  #state: WorkerState = { kind: 'idle' };
  #child: ChildProcess | undefined;
  #run: Promise<void> = Promise.resolve();
  #restarts = 0;
  readonly #backoff = new Backoff({ firstMs: FIRST_RESTART_DELAY_MS, longestMs: LONGEST_RESTART_DELAY_MS });

  /** @param onDeath told when it has died and after how long it is started again. */
  constructor(spec: WorkerSpec, onDeath: (death: Death, delayMs: number) => void) {
    this.spec = spec;
    this.#onDeath = onDeath;
  }

  get state(): WorkerState {
    return this.#state;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Starts it; resolves when it answers (or has had a minute to).
   *
   * @throws GridError `worker-failed` when it dies before: starting it again would not help.
   */
  async start(): Promise<void> {
    if (this.#isStopping()) return;
    const { child, ended, death } = this.#spawn();
    await Promise.race([this.#untilHealthy(child, ended), ended]);
    if (!isRunning(child)) {
      const how = await death;
      if (this.#isStopping()) return;
      if (how === undefined) {
        this.#state = { kind: 'finished' };
        return;
      }
      this.#state = { kind: 'stopped', how: 'failed' };
      throw new GridError(
        'worker-failed',
        `Starting the ${this.spec.name} worker: it ended at once (${how.cause}). ${how.words}\nIts log is ${this.spec.logPath}.`,
      );
    }
    this.#run = this.#keepRunning(death);
  }

  /**
   * Tells it to stop and waits; kills it when it takes too long, or as soon as `hurrying` aborts. What it had not
   * committed is read again next time.
   */
  async stop(hurrying: AbortSignal): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child !== undefined && isRunning(child)) {
      this.#state = { kind: 'stopping' };
      const ended = new Promise<void>((resolve) => {
        child.once('exit', () => {
          resolve();
        });
      });
      child.kill('SIGTERM');
      const hasEnded = ended.then(() => true);
      const endedUnhurried = unlessAborted(hasEnded, hurrying, false);
      const end = await orLate(this.spec.stopTimeoutMs, endedUnhurried);
      const inTime = !end.late && end.value;
      if (!inTime) {
        killGroup(child);
        await ended;
      }
      // One that the signal itself ended was not yet listening for it, so it had nothing to commit.
      const isClean = child.exitCode === 0 || child.signalCode === 'SIGTERM';
      this.#state = { kind: 'stopped', how: !inTime ? 'killed' : isClean ? 'cleanly' : 'failed' };
    } else if (this.#state.kind === 'idle') {
      this.#state = { kind: 'stopped', how: 'cleanly' };
    } else if (this.#state.kind !== 'finished' && this.#state.kind !== 'stopped') {
      this.#state = { kind: 'stopped', how: 'failed' };
    }
    await this.#run;
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #keepRunning(death: Promise<Death | undefined>): Promise<void> {
    let dying = death;
    for (;;) {
      const startedMs = Date.now();
      const how = await dying;
      if (this.#stopping.signal.aborted) return;
      if (how === undefined) {
        this.#state = { kind: 'finished' };
        return;
      }
      if (Date.now() - startedMs > RECOVERED_AFTER_MS) this.#backoff.reset();
      const delayMs = this.#backoff.next();
      this.#state = { kind: 'waiting', untilMs: Date.now() + delayMs, death: how };
      this.#onDeath(how, delayMs);
      if (!(await pause(delayMs, this.#stopping.signal))) return;
      this.#restarts++;
      this.#state = { kind: 'starting' };
      const next = this.#spawn();
      dying = next.death;
      void this.#untilHealthy(next.child, next.ended);
    }
  }

  /** `death` resolves to how it died, or to undefined when it ended well. */
  #spawn(): { child: ChildProcess; ended: Promise<void>; death: Promise<Death | undefined> } {
    const { logPath, script, environment, name } = this.spec;
    const npm = npmScript(`worker:${name}`);
    const flags = [...npm.flags, '--import', 'tsx', '--import', PRELOAD];
    const log = openLog(logPath);
    const mark = runMark(name);
    writeSync(log, mark);
    const child = spawn(process.execPath, [...flags, script], {
      cwd: PROJECT_DIRECTORY,
      env: { ...process.env, ...npm.environment, ...environment },
      detached: true,
      // The log is written without our help, so that nothing is lost or held up whatever becomes of us.
      stdio: ['pipe', log, log],
    });
    closeSync(log);
    child.stdin?.on('error', () => undefined);
    this.#child = child;
    this.#state = { kind: 'starting' };
    const failed: { toStart?: Error } = {};
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => {
        resolve();
      });
      child.once('error', (error) => {
        failed.toStart = error;
        if (child.pid === undefined) resolve();
      });
    });
    const death = ended.then((): Death | undefined => {
      if (child.exitCode === 0 && this.spec.mayFinish) return undefined;
      if (failed.toStart !== undefined) return { cause: 'it could not be run', words: failed.toStart.message };
      return { cause: child.signalCode ?? `code ${String(child.exitCode)}`, words: lastWords(logPath, mark) };
    });
    return { child, ended, death };
  }

  async #untilHealthy(child: ChildProcess, ended: Promise<void>): Promise<void> {
    const deadlineMs = Date.now() + LONGEST_START_MS;
    while (isRunning(child) && Date.now() < deadlineMs && !this.#stopping.signal.aborted) {
      if (await isHealthy(`${this.spec.operationsUrl}/healthz`)) break;
      await Promise.race([ended, sleep(HEALTH_POLL_MS)]);
    }
    const isCurrent = this.#state.kind === 'starting' && child === this.#child && isRunning(child);
    if (isCurrent) this.#state = { kind: 'running', sinceMs: Date.now() };
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path) && statSync(path).size > LOG_ROTATE_BYTES) renameSync(path, `${path}.1`);
  return openSync(path, 'a');
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}
