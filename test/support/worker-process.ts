import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { npmScript } from '../../infra/launch/npm-script.ts';
import { PROJECT_DIRECTORY } from '../../infra/native/settings.ts';
import { endWithTest } from './own-processes.ts';

/** How much of a process's output is kept for messages. */
const KEPT_OUTPUT_CHARACTERS = 20_000;

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A worker as a real process of its own, so that it can be killed. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<Ended>;
  #output = '';

  /**
   * @param command path of a script from the project's root, or the name of an npm script (`npm:worker:speed`), which is run
   *   with its very Node flags, but without npm in between.
   */
  constructor(command: string, environment: Readonly<Record<string, string>>) {
    const script = command.startsWith('npm:')
      ? npmScript(command.slice(4))
      : { environment: {}, flags: ['--import', 'tsx'], args: [command] };
    this.#child = spawn(process.execPath, [...script.flags, ...script.args], {
      cwd: PROJECT_DIRECTORY,
      env: { ...process.env, ...script.environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const child = this.#child;
    endWithTest(child);
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-KEPT_OUTPUT_CHARACTERS);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.ended = once(child, 'exit').then(() => ({ code: child.exitCode, signal: child.signalCode }));
  }

  /** The last of what it wrote. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** The most memory that the process ever had resident, MiB (Linux only). */
  get peakResidentMiB(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1_024;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends SIGTERM and waits for the end. */
  async stop(): Promise<Ended> {
    this.signal('SIGTERM');
    return this.ended;
  }

  /** Sends SIGKILL and waits for the end. */
  async kill(): Promise<Ended> {
    this.signal('SIGKILL');
    return this.ended;
  }
}
