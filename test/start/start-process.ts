import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { endWithTest } from '../support/own-processes.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** `npm start` as a user runs it, without a terminal. */
export class StartProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #output = '';

  constructor(args: readonly string[], environment: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, ['infra/launch/start.mjs', ...args], {
      cwd: PROJECT,
      env: { ...process.env, NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endWithTest(this.#child);
    const keep = (chunk: Buffer): void => {
      this.#output += chunk.toString();
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#ended = once(this.#child, 'close');
  }

  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Its exit code; null when a signal ended it. */
  async ended(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until it has printed something like this; fails when it ends before. */
  async printed(pattern: RegExp, timeoutMs = 240_000): Promise<RegExpExecArray> {
    return eventually(
      `the output matches ${String(pattern)}`,
      () => {
        const found = pattern.exec(this.#output);
        if (found !== null) return found;
        if (this.#child.exitCode !== null) throw new Error(`it ended with ${this.#child.exitCode}:\n${this.#output}`);
        return undefined;
      },
      timeoutMs,
    );
  }
}

/** Workers that run for the stack in `stackHome`, by their script. */
export function workersOf(stackHome: string): { pid: number; script: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const script = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
          .split('\0')
          .find((part) => /^workers\/\w+\.ts$/.test(part));
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`STACK_HOME=${stackHome}`);
        return script !== undefined && isOurs ? [{ pid: Number(pid), script }] : [];
      } catch {
        return [];
      }
    });
}
