import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithTest } from '../support/own-processes.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** `npm run job -- <args>` as a process, without npm in between. */
export class JobProcess {
  readonly #child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #ended: Promise<unknown>;

  constructor(args: readonly string[], environment: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, ['infra/launch/run.mjs', 'cli/job.ts', ...args], {
      cwd: PROJECT,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endWithTest(this.#child);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#ended = once(this.#child, 'close');
  }

  /** Runs a command to its end. */
  static async run(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<JobResult> {
    return new JobProcess(args, environment).result();
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  async result(): Promise<JobResult> {
    await this.#ended;
    const last = this.stdout.trimEnd().split('\n').at(-1) ?? '';
    return {
      code: this.#child.exitCode,
      stderr: this.stderr,
      stdout: this.stdout,
      json: last.startsWith('{') || last.startsWith('[') ? JSON.parse(last) : undefined,
    };
  }
}

export interface JobResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Last line of standard output, if it is JSON. */
  readonly json: unknown;
}
