import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { GridError } from '../../../../grid/errors.ts';
import type { QuarantineReason } from '../identifier.ts';
import { LIFETIME_CPU_SECONDS, timeLimits, WORN_CPU_SECONDS, type IsolationLimits } from './limits.ts';
import { processUsage, type ProcessUsage } from './process-usage.ts';

/** How a look ended: with an answer, a line of JSON that nobody has looked at yet, or with the end of the child. */
export type LookEnd =
  | { readonly kind: 'answered'; readonly line: Buffer }
  | { readonly kind: 'ended'; readonly reason: QuarantineReason; readonly detail: string }
  /** It never got as far as looking: nothing is said about the file. */
  | { readonly kind: 'not-started'; readonly detail: string };

const WATCH_INTERVAL_MS = 50;
/** A child that has not started by then never will. */
const START_MS = 120_000;
/** So much of what it complained of last is kept, for a crash to be explained. */
const COMPLAINT_BYTES = 4_096;
const LINE_FEED = 0x0a;
/** Without core dumps, since they would hold what was looked at; without more processor time than for all its files. */
const LIMITED = 'ulimit -c 0; ulimit -t "$1" 2>/dev/null; shift; exec "$@"';

interface Look {
  readonly chunks: Buffer[];
  readonly writableBytes: number;
  /** When the child could begin with it. */
  sinceMs: number;
  readonly cpuMs: number;
  readonly wallMs: number;
  bytes: number;
  atStart: ProcessUsage | undefined;
  end(end: LookEnd): void;
}

/**
 * A process that looks at one file after another: a line of JSON goes in, one comes out. It has no environment, so no secrets. While it
 * looks its memory, time and output are watched, and it is killed at the first that passes its limit.
 */
export class LookingChild {
  readonly #process: ChildProcess;
  readonly #limits: IsolationLimits;
  readonly #exited: Promise<void>;
  #look: Look | undefined;
  #verdictOfWatch: { readonly reason: QuarantineReason; readonly detail: string } | undefined;
  #complaint = '';
  #watch: NodeJS.Timeout | undefined;
  #spentCpuMs = 0;
  #isReady = false;
  looks = 0;
  isGone = false;

  /** @param command of Node: options and the module that looks */
  constructor(command: readonly string[], limits: IsolationLimits) {
    this.#limits = limits;
    const seconds = String(LIFETIME_CPU_SECONDS);
    const node = [process.execPath, `--max-old-space-size=${limits.heapMebibytes}`, '--max-semi-space-size=8'];
    this.#process = spawn('/bin/sh', ['-c', LIMITED, 'sh', seconds, ...node, ...command], {
      env: {},
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    });
    this.#input.on('error', () => undefined); // The exit tells.
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString('utf8')).slice(-COMPLAINT_BYTES);
    });
    (this.#process.stdio[3] as Readable).on('data', (chunk: Buffer) => {
      this.#take(chunk);
    });
    this.#exited = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        this.#complaint += error.message;
        this.#gone(null, null);
        resolve();
      });
      // Not 'exit': what it wrote last is to be read first.
      this.#process.once('close', (code, signal) => {
        this.#gone(code, signal);
        resolve();
      });
    });
  }

  /** Its files, or what they cost, are so many that another should take over. */
  get isWorn(): boolean {
    return this.looks >= this.#limits.filesPerChild || this.#spentCpuMs > WORN_CPU_SECONDS * 1_000;
  }

  /**
   * @param fileBytes how large the file is
   * @param memberBytes what it may extract beside its other output
   */
  look(request: object, fileBytes: number, memberBytes: number): Promise<LookEnd> {
    this.looks++;
    return new Promise((resolve) => {
      const look: Look = {
        chunks: [],
        bytes: 0,
        writableBytes: memberBytes + this.#limits.outputBytes + this.#limits.answerBytes,
        sinceMs: performance.now(),
        ...timeLimits(this.#limits, fileBytes),
        atStart: undefined,
        end: (end) => {
          clearTimeout(this.#watch);
          this.#look = undefined;
          resolve(end);
        },
      };
      if (this.isGone) {
        look.end({ kind: 'not-started', detail: this.#complaint });
        return;
      }
      this.#look = look;
      this.#watchSoon(look);
      this.#input.write(`${JSON.stringify(request)}\n`);
    });
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Kills it and waits until it is gone. */
  async end(): Promise<void> {
    this.kill();
    await this.#exited;
  }

  get #input(): Writable {
    if (this.#process.stdin === null) throw new GridError('defect', 'A child process has no standard input');
    return this.#process.stdin;
  }

  #take(chunk: Buffer): void {
    if (!this.#isReady) {
      // An empty line says that it has started; nothing else can have been said before a request was read.
      this.#isReady = true;
      if (this.#look !== undefined) this.#look.sinceMs = performance.now();
      if (chunk.length === 1) return;
      chunk = chunk.subarray(1);
    }
    const look = this.#look;
    if (look === undefined) return;
    look.chunks.push(chunk);
    look.bytes += chunk.length;
    if (look.bytes > this.#limits.answerBytes) {
      this.#stop('output', `its answer was longer than ${this.#limits.answerBytes} bytes`);
    } else if (chunk.at(-1) === LINE_FEED) look.end({ kind: 'answered', line: Buffer.concat(look.chunks) });
  }

  #watchSoon(look: Look): void {
    this.#watch = setTimeout(() => {
      void this.#check(look);
    }, WATCH_INTERVAL_MS);
  }

  async #check(look: Look): Promise<void> {
    const usage = await processUsage(this.#process.pid ?? 0);
    if (this.#look !== look) return;
    const wallMs = performance.now() - look.sinceMs;
    if (!this.#isReady && wallMs > START_MS) {
      this.kill();
      return;
    }
    if (this.#isReady && wallMs > look.wallMs) {
      this.#stop('wall-time', `it took longer than ${Math.round(look.wallMs)} ms`);
      return;
    }
    if (usage !== undefined) {
      // What starting it costs is not the file's.
      if (this.#isReady) look.atStart ??= usage;
      const before = look.atStart ?? usage;
      const cpuMs = usage.cpuMs - before.cpuMs;
      this.#spentCpuMs = usage.cpuMs;
      if (usage.residentBytes > this.#limits.memoryBytes) {
        this.#stop(
          'memory',
          `it took ${usage.residentBytes >> 20} MiB of memory, of ${this.#limits.memoryBytes >> 20}`,
        );
        return;
      }
      if (cpuMs > look.cpuMs) {
        this.#stop('cpu-time', `it took more than ${Math.round(look.cpuMs)} ms of processor time`);
        return;
      }
      if (usage.writtenBytes - before.writtenBytes > look.writableBytes) {
        this.#stop('output', `it wrote more than ${look.writableBytes} bytes`);
        return;
      }
    }
    this.#watchSoon(look);
  }

  #stop(reason: QuarantineReason, detail: string): void {
    this.#verdictOfWatch = { reason, detail };
    this.kill();
  }

  #gone(code: number | null, signal: NodeJS.Signals | null): void {
    this.isGone = true;
    clearTimeout(this.#watch);
    const explained = this.#explain(code, signal);
    if (this.#verdictOfWatch === undefined && !this.#isReady) {
      this.#look?.end({ kind: 'not-started', detail: explained.detail });
    } else this.#look?.end({ kind: 'ended', ...(this.#verdictOfWatch ?? explained) });
  }

  #explain(code: number | null, signal: NodeJS.Signals | null): { reason: QuarantineReason; detail: string } {
    if (this.#complaint.includes('JavaScript heap out of memory')) {
      return { reason: 'memory', detail: `its objects took more than ${this.#limits.heapMebibytes} MiB` };
    }
    if (signal === 'SIGXCPU') return { reason: 'cpu-time', detail: 'the kernel ended it for its processor time' };
    const how = signal === null ? `code ${code ?? 'none'}` : signal;
    const lastLine = this.#complaint.trim().split('\n').at(-1) ?? '';
    return {
      reason: 'crash',
      detail: `the process ended with ${how}${lastLine === '' ? '' : `: ${lastLine.slice(0, 300)}`}`,
    };
  }
}
