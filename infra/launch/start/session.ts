import { unlessAborted } from '../../../runtime/waiting/abortion.ts';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import colors from 'picocolors';
import { asGridError, type GridError } from '../../../grid/errors.ts';
import { loadConfig, readEnvironment, type Config } from '../../../runtime/config.ts';
import { pause } from '../../../runtime/waiting/pause.ts';
import { orLate } from '../../../runtime/waiting/time-limit.ts';
import { shareDirectory } from '../../datasets/share/share.ts';
import { provideSimbench, type SimbenchResult } from '../../datasets/simbench.ts';
import { explainDiskError } from '../../native/install/installation.ts';
import { describeResults } from '../../native/report.ts';
import { PROJECT_DIRECTORY, type ServerName, type StackSettings } from '../../native/settings.ts';
import type { BroughtUp } from '../../native/stack.ts';
import { FirstImport, IMPORT_SERVERS } from './import/first-import.ts';
import type { ImportState } from './import/import-state.ts';
import { readHdfsUsage } from './observe/hdfs-usage.ts';
import { Observer } from './observe/observer.ts';
import { ESSENTIAL_SERVERS, type StartOptions } from './options.ts';
import { Servers } from './servers.ts';
import { preferredSensorIds, workerEnvironment } from './sources.ts';
import type { StopRequest } from './stop-request.ts';
import { discoverSampleShare, type FirstDiscoveryEnd } from './legacy/first-discovery.ts';
import { keptHistoryText } from './view/import-text.ts';
import { keptText } from './view/kept-text.ts';
import { legacyNews } from './view/legacy-text.ts';
import { placesOf, type Places } from './view/places.ts';
import type { Screen } from '../../../runtime/terminal/screen.ts';
import { SetupProgress } from './view/setup-progress.ts';
import { StreamView } from './view/stream-view.ts';
import { viewsNews } from './view/views-text.ts';
import { wordsNews } from './view/words-text.ts';
import { countSampleTexts } from './words/first-count.ts';
import { buildFirstViews } from './batch-views/first-views.ts';
import type { Death } from './workers/supervised-worker.ts';
import { WorkerSet, type WorkerName } from './workers/worker-set.ts';

const LIVE_EVERY_MS = 1_000;
const PLAIN_EVERY_MS = 5_000;
/** How long the sinks may go on with what the sources have sent before they are stopped. */
const CATCH_UP_MS = 8_000;
/** Longer than the pause between two fetches of a consumer. */
const CATCH_UP_POLL_MS = 700;
const NO_IMPORT: ImportState = { kind: 'off', reason: '' };

/** What is shown once the workers run. */
interface Streaming {
  /** As the workers see it. */
  readonly config: Config;
  readonly places: Places;
  readonly observer: Observer;
  readonly view: StreamView;
}

/** Held for as long as a `npm start` of this stack lives. */
export function startLockPath(settings: StackSettings): string {
  return join(settings.home, 'run', 'start.lock');
}

/**
 * One `npm start`:
 *
 *     set up servers and SimBench → start workers → stream and show → stop sources → stop sinks → stop servers
 *                                                 ↘ import SQL history, as soon as its servers are up
 *
 * A request to stop, or a failure, goes from any step straight to the stopping ones, which undo what was done so far.
 */
export class Session {
  readonly #settings: StackSettings;
  readonly #options: StartOptions;
  readonly #stop: StopRequest;
  readonly #screen: Screen;
  readonly #setup: SetupProgress;
  readonly #servers: Servers;
  /** Of servers that readings do not need: what comes of bringing them up. */
  readonly #comingUp = new Map<ServerName, Promise<BroughtUp>>();
  #workers: WorkerSet | undefined;
  #streaming: Streaming | undefined;
  #import: FirstImport | undefined;
  #importing: Promise<void> = Promise.resolve();

  constructor(settings: StackSettings, options: StartOptions, stop: StopRequest, screen: Screen) {
    this.#settings = settings;
    this.#options = options;
    this.#stop = stop;
    this.#screen = screen;
    this.#setup = new SetupProgress(screen);
    this.#servers = new Servers(settings, options.servers);
  }

  /** @returns the exit code: 0 when it was stopped, whoever stopped it, and everything ended cleanly. */
  async run(): Promise<number> {
    this.#introduce();
    let failure: GridError | undefined;
    try {
      const simbench = await this.#orStopped(this.#setUp());
      if (simbench !== 'stopped') {
        const started = await this.#orStopped(this.#startWorkers(simbench.simbench));
        if (started !== 'stopped') {
          this.#startImport(started, simbench.simbench);
          await this.#stream(started);
        }
      }
    } catch (error) {
      failure = asGridError(explainDiskError(error, this.#settings.home), 'Running PowerGrid Lambda');
    }
    this.#setup.hide();
    if (failure !== undefined) process.stderr.write(`${colors.red(failure.message)}\n`);
    const isClean = await this.#tearDown();
    return failure === undefined && isClean ? 0 : 1;
  }

  /** Whatever is first: the work's end or the request to stop. Work that goes on behind that is of no interest any more. */
  #orStopped<T>(work: Promise<T>): Promise<T | 'stopped'> {
    return unlessAborted(work, this.#stop.stopping, 'stopped');
  }

  #introduce(): void {
    const isFirst = !existsSync(join(this.#settings.home, 'data', 'kafka'));
    const duration = isFirst
      ? 'This first time it downloads the servers and the series, which takes some minutes; later it starts in under a minute.'
      : 'It takes under a minute until readings flow.';
    this.#screen.print(
      [
        colors.bold('PowerGrid Lambda'),
        'Brings up the servers, then streams real and simulated readings through Kafka into HDFS, Redis, MongoDB and PostgreSQL.',
        ...(this.#importsHistory
          ? [
              'Beside that it imports history from PostgreSQL into HDFS and Hive, counts the words of real texts, finds out what lies in a sample share of legacy files, and builds batch views.',
            ]
          : []),
        duration,
        `Ctrl-C stops everything; all data is kept in ${pathText(this.#settings.home)}.`,
        '',
        colors.bold('Servers'),
      ].join('\n'),
    );
  }

  /** Resolves when readings can flow; servers that they do not need may come later. */
  async #setUp(): Promise<{ simbench: SimbenchResult | undefined }> {
    const show = async (name: ServerName): Promise<BroughtUp> => {
      const result = await this.#servers.bringUp(name, this.#setup.show);
      // Its first column is the name.
      if (!this.#stop.stopping.aborted)
        this.#setup.finish(name, describeResults([result]).slice(name.length).trimStart());
      return result;
    };
    const bringUp = (name: ServerName): Promise<BroughtUp> => {
      const result = show(name);
      this.#comingUp.set(name, result);
      return result;
    };
    for (const name of this.#options.servers.filter((server) => !ESSENTIAL_SERVERS.includes(server))) {
      bringUp(name).catch((error: unknown) => {
        if (this.#stop.stopping.aborted) return;
        this.#setup.drop(name);
        const { message } = asGridError(error, `Bringing up ${name}`);
        this.#screen.print(colors.yellow(`  ${name} did not come up; readings flow without it. ${message}`));
      });
    }
    const simbench = this.#options.simbench
      ? provideSimbench(this.#settings.home, (text) => {
          this.#setup.show('simbench', text);
        })
      : Promise.resolve(undefined);
    const [dataset] = await Promise.all([simbench, ...ESSENTIAL_SERVERS.map(bringUp)]);
    if (dataset?.kind === 'ready') this.#setup.finish('simbench', 'real load and generation series of a year, ready');
    else if (dataset?.kind === 'unavailable') {
      this.#setup.drop('simbench');
      this.#screen.print(
        colors.yellow(`  There are no real series this time, simulated sensors only. ${dataset.error.message}`),
      );
    }
    return { simbench: dataset };
  }

  async #startWorkers(simbench: SimbenchResult | undefined): Promise<Streaming> {
    const userEnvironment = readEnvironment();
    const environment = workerEnvironment(userEnvironment, this.#settings.home, simbench);
    const config = loadConfig({ ...userEnvironment, ...environment });
    const logDirectory = join(this.#settings.home, 'logs');
    this.#setup.show('workers', 'starting');
    const workers = await WorkerSet.make({
      config,
      environment,
      logDirectory,
      batch: this.#importsHistory,
      onDeath: (name, death, delayMs) => {
        this.#reportDeath(name, death, delayMs);
      },
    });
    const places = placesOf(config, this.#options.servers, workers);
    const observer = new Observer(config, workers, preferredSensorIds(config));
    const streaming = { config, places, observer, view: new StreamView(this.#screen, places, config) };
    if (this.#stop.stopping.aborted) return streaming;
    this.#workers = workers;
    await workers.start();
    const names = workers.all.flatMap(([name, { state }]) => (state.kind === 'idle' ? [] : [name]));
    this.#setup.finish(
      'workers',
      `${colors.green('running')}: ${names.join(', ')}${colors.dim(`  logs: ${pathText(logDirectory)}/worker-*.log`)}`,
    );
    this.#setup.hide();
    this.#streaming = streaming;
    return streaming;
  }

  /** Whether it was asked for, with all that it needs. */
  get #importsHistory(): boolean {
    return this.#options.import && IMPORT_SERVERS.every((name) => this.#options.servers.includes(name));
  }

  get #importState(): ImportState {
    return this.#import?.state ?? NO_IMPORT;
  }

  #startImport({ config }: Streaming, simbench: SimbenchResult | undefined): void {
    if (!this.#importsHistory) return;
    this.#import = new FirstImport({
      config,
      simbench,
      whenUp: (name) => this.#comingUp.get(name) ?? Promise.reject(new Error(`${name} is not to be brought up`)),
      startWorker: async () => this.#workers?.startBatch(),
      onLoading: (text) => {
        this.#setup.show('history', text);
      },
      onLoaded: (tables) => {
        const loaded = tables.filter(({ outcome }) => outcome === 'loaded' || outcome === 'extended');
        if (loaded.length === 0) this.#setup.drop('history');
        else this.#setup.finish('history', `sample tables ${loaded.map(({ name }) => name).join(', ')} in PostgreSQL`);
      },
    });
    this.#importing = this.#import.run(this.#stop.stopping).then(() => this.#analyse(config, simbench));
  }

  /** What the import needed is up then. */
  async #analyse(config: Config, simbench: SimbenchResult | undefined): Promise<void> {
    if (this.#importState.kind !== 'done') return;
    const tell = ({ kind }: { readonly kind: string }, news: string | undefined): void => {
      if (news !== undefined) this.#screen.print(kind === 'failed' ? colors.yellow(news) : news);
    };
    const words = await countSampleTexts(config, this.#stop.stopping);
    tell(words, wordsNews(words));
    if (words.kind === 'interrupted') return;
    const sample = shareDirectory(this.#settings.home, simbench?.kind === 'ready');
    // A share of the user's own is not crawled unasked.
    if (config.LEGACY_SHARE === sample) {
      const legacy = await this.#discover(config, sample, simbench);
      tell(legacy, legacyNews(legacy, sample));
      if (legacy.kind === 'interrupted') return;
    }
    const views = await buildFirstViews(config, this.#stop.stopping);
    tell(views, viewsNews(views));
  }

  /** @param directory of the sample share */
  async #discover(config: Config, directory: string, simbench: SimbenchResult | undefined): Promise<FirstDiscoveryEnd> {
    const share = {
      directory,
      simbenchDirectory: simbench?.kind === 'ready' ? simbench.directory : undefined,
      packages: join(PROJECT_DIRECTORY, 'node_modules'),
      software: this.#settings.installHome,
    };
    const show = (text: string): void => {
      this.#setup.show('share', text);
    };
    const legacy = await discoverSampleShare(config, share, show, this.#stop.stopping);
    this.#setup.drop('share');
    return legacy;
  }

  #reportDeath(name: WorkerName, { cause, words }: Death, delayMs: number): void {
    const seconds = Math.round(delayMs / 1_000);
    this.#screen.print(
      colors.yellow(`The ${name} worker ended (${cause}) and is started again in ${seconds} s. ${words}`),
    );
  }

  /** Shows how it goes until it is to stop. */
  async #stream({ observer, view }: Streaming): Promise<void> {
    view.introduce();
    const limitMs = this.#options.forSeconds * 1_000;
    const timer =
      limitMs === 0
        ? undefined
        : setTimeout(() => {
            this.#stop.request({ kind: 'time' });
          }, limitMs);
    observer.start();
    const everyMs = this.#screen.isLive ? LIVE_EVERY_MS : PLAIN_EVERY_MS;
    while (!this.#stop.stopping.aborted) {
      await sleep(everyMs, undefined, { signal: this.#stop.stopping }).catch(() => undefined);
      view.show(observer.snapshot(), this.#importState, this.#setup.texts);
    }
    clearTimeout(timer);
  }

  /** Undoes what was done, in reverse. @returns whether all ended cleanly. */
  async #tearDown(): Promise<boolean> {
    const { hurrying } = this.#stop;
    const workersAreClean = await this.#stopWorkers(hurrying);
    if (this.#options.keepServers) {
      if (this.#servers.startedHere().length > 0) {
        this.#screen.print('The servers stay up; `npm run stack -- down` stops them.');
      }
      return workersAreClean;
    }
    const names = this.#servers.startedHere();
    if (names.length > 0) {
      this.#say(`Stopping ${names.join(', ')} …`);
      try {
        await this.#servers.stop(() => undefined, hurrying);
      } catch (error) {
        this.#screen.print(colors.red(asGridError(error, 'Stopping the servers').message));
        return false;
      }
      this.#say(undefined);
      this.#screen.print(`Stopped ${names.join(', ')}.`);
    }
    const left = this.#servers.leftUp();
    if (left.length > 0) this.#screen.print(`Left up, since this run did not start them: ${left.join(', ')}.`);
    return workersAreClean;
  }

  async #stopWorkers(hurrying: AbortSignal): Promise<boolean> {
    const workers = this.#workers;
    if (workers === undefined) return true;
    this.#say('Stopping the sources …');
    // It has the more time to bring to an end what it is at.
    const batchStopped = workers.stopBatch(hurrying);
    await workers.stopSources(hurrying);
    await this.#importing;
    const observer = this.#streaming?.observer;
    if (observer !== undefined && !hurrying.aborted) {
      this.#say('Bringing the last readings into HDFS, Redis and MongoDB …');
      await this.#catchUp(observer, hurrying);
    }
    await Promise.all([workers.stopSinks(hurrying), batchStopped]);
    const final = await observer?.finish();
    this.#say(undefined);
    await this.#tellOfHistory();
    if (final !== undefined) this.#screen.print(keptText(final));
    const unclean = workers.all.flatMap(([name, { state }]) =>
      state.kind === 'stopped' && state.how !== 'cleanly'
        ? [`${name} ${state.how === 'killed' ? 'was killed' : 'failed'}`]
        : [],
    );
    if (unclean.length > 0) {
      this.#screen.print(
        colors.yellow(
          `Not all workers ended cleanly (${unclean.join(', ')}); what they had not committed is read again next time.`,
        ),
      );
    }
    return unclean.length === 0;
  }

  /** What is left of the import: its news, if they were not told yet, and what it has put into the stores. */
  async #tellOfHistory(): Promise<void> {
    if (this.#streaming === undefined) return;
    const { view, places, config } = this.#streaming;
    view.tellOfImport(this.#importState);
    const imports = readHdfsUsage(config.WEBHDFS_URL, config.HDFS_USER, config.HDFS_IMPORTS_DIRECTORY);
    const kept = keptHistoryText(this.#importState, places, await imports.catch(() => undefined));
    if (kept !== undefined) this.#screen.print(kept);
  }

  /** Lets the sinks go on with what has been sent, for as long as that takes, but not for ever. */
  async #catchUp(observer: Observer, hurrying: AbortSignal): Promise<void> {
    const deadlineMs = performance.now() + CATCH_UP_MS;
    const untilDone = async (): Promise<void> => {
      // Two answers with more than a fetch between them: then the consumers have seen the last record.
      while (!hurrying.aborted && performance.now() < deadlineMs && !(await observer.hasCaughtUp())) {
        await pause(CATCH_UP_POLL_MS, hurrying);
      }
    };
    await orLate(CATCH_UP_MS, unlessAborted(untilDone(), hurrying, undefined));
  }

  /** A passing line. */
  #say(text: string | undefined): void {
    if (this.#screen.isLive)
      this.#screen.draw(text === undefined ? [] : [text, colors.dim('Ctrl-C again hurries it.')]);
    else if (text !== undefined) this.#screen.print(text);
  }
}

/** Short where it lies below the working directory. */
function pathText(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') ? path : short;
}
