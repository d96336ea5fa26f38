import type { Address, PortName, ServerName, StackSettings } from './settings.ts';

/** Software from which a server can be started. */
export interface Installation {
  readonly version: string;
  /** Shown to people: `/usr/bin/redis-server`, `Maven`, `PyPI`. */
  readonly from: string;
  /** Directory of the installation; what lies in it is the server's own affair. */
  readonly directory: string;
}

/** One operating-system process of a server. */
export interface ProcessSpec {
  /** Unique in the stack: names its record and its log file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The user to run it as, when the process that starts it is root and the server refuses root. */
  readonly uid?: number;
  readonly gid?: number;
  readonly ports: readonly PortName[];
}

/** What answered at a server's configured address. */
export type Probe =
  /** A server of the right kind, ready for work. */
  | { readonly kind: 'ready' }
  /** Of the right kind, or may become so: still starting, or not whole. */
  | { readonly kind: 'not-ready'; readonly reason: string }
  /** Nobody listens there. */
  | { readonly kind: 'silent'; readonly reason: string };

/** Tells people what is going on; `text` replaces what was said before. */
export type Progress = (text: string) => void;

/** One server of the native stack. Everything that is particular to it is behind this interface. */
export interface Server {
  readonly name: ServerName;
  /** What it is, for people. */
  readonly title: string;
  /** Servers that have to be up before it starts. */
  readonly needs: readonly ServerName[];
  /** The names of its processes, in starting order. */
  readonly processNames: readonly string[];
  /** The signal that asks it to end cleanly. */
  readonly stopSignal: NodeJS.Signals;
  /** How long each process may take to end before it is killed. */
  readonly stopTimeoutMs: number;
  /** How long it may take from start to ready on a slow machine. */
  readonly readyTimeoutMs: number;
  /** When it may fail to start because a killed predecessor is not quite gone: how long to try again. */
  readonly restartWindowMs?: number;
  /** The addresses that the configuration names for it. Several mean a cluster that is not ours. */
  addresses(settings: StackSettings): readonly Address[];
  /** Asks, in the server's own protocol, whether it is ready at the configured address. Never throws; bounded in time. */
  probe(settings: StackSettings): Promise<Probe>;
  /** Finds usable software on the machine, or what was installed before, else downloads it. */
  install(settings: StackSettings, progress: Progress): Promise<Installation>;
  /** Writes configuration and makes the data directory ready. Repeatable; called only while no process of it runs. */
  prepare(settings: StackSettings, installation: Installation, progress: Progress): Promise<void>;
  /** Its processes in starting order; stopped in the reverse one. */
  processes(settings: StackSettings, installation: Installation): Promise<readonly ProcessSpec[]>;
  /** What is left to do once it answers (databases to create). Repeatable. */
  finish?(settings: StackSettings, installation: Installation): Promise<void>;
}
