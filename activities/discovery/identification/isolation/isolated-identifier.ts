import { readdir, rm, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GridError } from '../../../../grid/errors.ts';
import type { Identification, IdentificationRequest, Identifier, QuarantineReason } from '../identifier.ts';
import { answerOfChild } from './answer.ts';
import { LookingChild, type LookEnd } from './child-process.ts';
import { DEFAULT_LIMITS, type IsolationLimits } from './limits.ts';

/** Of a process that ends without a reason of its own, it is not known whether this file or an earlier one was to blame. */
const TRIED_AGAIN: ReadonlySet<QuarantineReason> = new Set(['crash', 'memory']);

/**
 * Opens the port over child processes; they start when they are first needed, and are replaced when they are worn.
 *
 * @param command options of Node and the module that looks, for tests
 */
export function openIdentifier(
  limits: Partial<IsolationLimits> = {},
  command: readonly string[] = lookingCommand(new URL('../child.ts', import.meta.url)),
): Identifier {
  return new IsolatedIdentifier({ ...DEFAULT_LIMITS, ...limits }, command);
}

/** Options of Node with which a TypeScript module runs. */
export function lookingCommand(module: URL): readonly string[] {
  return ['--import', import.meta.resolve('tsx/esm'), fileURLToPath(module)];
}

class IsolatedIdentifier implements Identifier {
  readonly #limits: IsolationLimits;
  readonly #command: readonly string[];
  readonly #idle: LookingChild[] = [];
  readonly #busy = new Set<LookingChild>();
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #idling: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(limits: IsolationLimits, command: readonly string[]) {
    this.#limits = limits;
    this.#command = command;
    this.#free = limits.children;
  }

  async identify(request: IdentificationRequest, signal: AbortSignal): Promise<Identification> {
    await this.#place();
    try {
      const first = await this.#look(request, signal, false);
      if (first.kind === 'answered' || (first.kind === 'ended' && !TRIED_AGAIN.has(first.reason))) {
        return this.#read(first, request);
      }
      await empty(request.workDirectory);
      return this.#read(await this.#look(request, signal, true), request);
    } finally {
      this.#free++;
      this.#waiting.shift()?.();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idling);
    await Promise.all([...this.#idle.splice(0), ...this.#busy].map((child) => child.end()));
  }

  async #place(): Promise<void> {
    while (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#free--;
  }

  async #look(request: IdentificationRequest, signal: AbortSignal, inNew: boolean): Promise<LookEnd> {
    signal.throwIfAborted();
    if (this.#closed) throw new GridError('shutting-down', `Looking at ${request.path}: the process is ending.`);
    const child = (inNew ? undefined : this.#idle.pop()) ?? new LookingChild(this.#command, this.#limits);
    const abort = (): void => {
      child.kill();
    };
    this.#busy.add(child);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const { path, name, workDirectory, budget } = request;
      const { outputBytes } = this.#limits;
      // What is gone by now, the child finds out.
      const fileBytes = await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
      const end = await child.look({ path, name, workDirectory, budget, outputBytes }, fileBytes, budget.bytes);
      signal.throwIfAborted();
      return end;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#busy.delete(child);
      this.#keep(child, signal);
    }
  }

  /** A child that may look at another file waits for it; one that is closed over ends. */
  #keep(child: LookingChild, signal: AbortSignal): void {
    if (child.isWorn || this.#closed || signal.aborted) child.kill();
    else if (!child.isGone) this.#idle.push(child);
    clearTimeout(this.#idling);
    this.#idling = setTimeout(() => {
      for (const idle of this.#idle.splice(0)) idle.kill();
    }, this.#limits.idleMs).unref();
  }

  #read(end: LookEnd, request: IdentificationRequest): Identification {
    if (this.#closed) throw new GridError('shutting-down', `Looking at ${request.path}: the process is ending.`);
    const quarantined = (reason: QuarantineReason, detail: string): Identification => ({
      state: 'quarantined',
      reason,
      detail,
      members: [],
      // What it really used is not known; all of the bytes could have been.
      used: { depth: 0, bytes: 0, entries: 0 },
    });
    if (end.kind === 'ended') return quarantined(end.reason, end.detail);
    if (end.kind === 'not-started') {
      throw new GridError(
        'worker-failed',
        `Starting a process to look at ${request.path}: ${end.detail}. Is there memory for one, and are the dependencies installed?`,
      );
    }
    const answer = answerOfChild.safeParse(jsonOf(end.line));
    if (!answer.success) return quarantined('crash', 'its answer was none');
    if (answer.data.state === 'failed') {
      const { code, detail } = answer.data;
      throw new GridError(
        code === 'ENOSPC' || code === 'EDQUOT' ? 'disk-full' : 'worker-failed',
        `Looking at ${request.path}, with ${request.workDirectory} for what comes out of it: ${detail}. Make room, or use another work directory.`,
      );
    }
    const paths = answer.data.members.flatMap(({ path }) => (path === undefined ? [] : [path]));
    if (answer.data.state === 'identified') {
      const { textPath, telemetryPath } = answer.data;
      paths.push(...[textPath, telemetryPath].filter((path) => path !== undefined));
    }
    // It names only files that it made.
    const stray = paths.find((path) => !isInside(request.workDirectory, path));
    return stray === undefined ? answer.data : quarantined('crash', 'its answer named a file outside of its directory');
  }
}

function isInside(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function jsonOf(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return undefined;
  }
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true });
}
