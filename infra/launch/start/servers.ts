import { GridError } from '../../../grid/errors.ts';
import { readLiveRecord, signalRecorded, stopProcess, type ProcessRecord } from '../../native/processes.ts';
import { serverOf } from '../../native/servers/registry.ts';
import type { ServerName, StackSettings } from '../../native/settings.ts';
import { bringUpWith, takeDownWith, type BroughtUp, type ServerProgress } from '../../native/stack.ts';

/**
 * The servers during one `npm start`: brought up each by itself, so that readings stream while servers that they do not need
 * are still being set up, and in the end stopped if this run started them.
 */
export class Servers {
  readonly #settings: StackSettings;
  readonly #names: readonly ServerName[];
  readonly #wereUp: ReadonlySet<ServerName>;
  readonly #results = new Map<ServerName, BroughtUp>();
  readonly #underWay = new Set<ServerName>();

  constructor(settings: StackSettings, names: readonly ServerName[]) {
    this.#settings = settings;
    this.#names = names;
    this.#wereUp = new Set(names.filter((name) => this.#liveRecords(name).length > 0));
  }

  /**
   * Brings one server up, and what it needs; any number of calls may be under way at once.
   *
   * @throws GridError when it could not be brought up.
   */
  async bringUp(name: ServerName, progress: ServerProgress): Promise<BroughtUp> {
    this.#underWay.add(name);
    try {
      const results = await bringUpWith(this.#settings, [name], (which, text) => {
        // What it needs is told of by that one's own call; when both wait for one lock, its holder is this very process.
        if (which === name && !text.startsWith(`waiting for process ${process.pid},`)) progress(name, text);
      });
      for (const result of results) this.#keep(result);
      const result = this.#results.get(name);
      if (result === undefined)
        throw new GridError('defect', `Bringing up ${name}: it was brought up without a result.`);
      return result;
    } finally {
      this.#underWay.delete(name);
    }
  }

  /** Of two calls that needed the same server, one has started it and the other found it running. */
  #keep(result: BroughtUp): void {
    const isChange = result.outcome === 'started' || result.outcome === 'mended';
    if (isChange || !this.#results.has(result.name)) this.#results.set(result.name, result);
  }

  /** Servers that run now and that this run started; without those that a server of before needs. */
  startedHere(): ServerName[] {
    const needed = new Set([...this.#wereUp].flatMap((name) => serverOf(name).needs));
    return this.#names.filter((name) => {
      if (this.#wereUp.has(name) || needed.has(name) || this.#liveRecords(name).length === 0) return false;
      const outcome = this.#results.get(name)?.outcome;
      // Found running, though it was not at first: another command has started it, or a call of ours that is still under way.
      if (outcome === 'running') return [...this.#underWay].some((other) => serverOf(other).needs.includes(name));
      return outcome !== 'external';
    });
  }

  /** Servers of this stack that run now and are none of {@link startedHere}. */
  leftUp(): ServerName[] {
    const ours = this.startedHere();
    return this.#names.filter((name) => !ours.includes(name) && this.#liveRecords(name).length > 0);
  }

  /**
   * Stops the servers that this run started; the others stay. Their data stays too.
   *
   * @param hurrying when it aborts, they are killed instead, which they survive.
   */
  async stop(progress: ServerProgress, hurrying: AbortSignal): Promise<ServerName[]> {
    const names = this.startedHere();
    const killAll = (): void => {
      for (const record of names.flatMap((name) => this.#liveRecords(name))) signalRecorded(record, 'SIGKILL');
    };
    hurrying.addEventListener('abort', killAll, { once: true });
    if (hurrying.aborted) killAll();
    if (this.#underWay.size === 0) await takeDownWith(this.#settings, names, progress);
    else await this.#stopHalfStarted(names, progress);
    hurrying.removeEventListener('abort', killAll);
    return names;
  }

  /**
   * While servers are being brought up their locks are held, for a download perhaps for minutes; so this goes past the locks. To
   * be followed by the end of the process at once, which also ends the downloads.
   */
  async #stopHalfStarted(names: readonly ServerName[], progress: ServerProgress): Promise<void> {
    const stopOne = async (name: ServerName): Promise<void> => {
      progress(name, 'stopping');
      for (const record of this.#liveRecords(name).reverse()) await stopProcess(this.#settings, record, serverOf(name));
      progress(name, 'stopped');
    };
    const last = names.filter((name) => serverOf(name).needs.length > 0);
    await Promise.all(last.map(stopOne));
    await Promise.all(names.filter((name) => !last.includes(name)).map(stopOne));
    // What was started meanwhile has nothing to lose yet.
    for (const name of this.startedHere()) {
      for (const record of this.#liveRecords(name)) signalRecorded(record, 'SIGKILL');
    }
  }

  #liveRecords(name: ServerName): ProcessRecord[] {
    return serverOf(name).processNames.flatMap((processName) => readLiveRecord(this.#settings, processName) ?? []);
  }
}
