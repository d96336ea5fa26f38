import {
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import { workName } from '../job/ids.ts';
import { jobInput } from '../job/input.ts';
import { JobProgress } from '../job/job-progress.ts';
import {
  discoveryContract,
  NO_FILES,
  tallySum,
  type Crawl,
  type DiscoveryActivities,
  type DiscoveryProgress,
  type DiscoveryResult,
  type Tally,
} from './contract.ts';
import { discoveryText } from './text.ts';
import { UnitQueue, type QueuedLists } from './unit-queue.ts';

/** HDFS or MongoDB away for some seven minutes are waited for. */
const RETRY = { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 30_000, maximumAttempts: 20 } as const;

const activities = proxyActivities<DiscoveryActivities>({
  startToCloseTimeout: '30 days',
  heartbeatTimeout: 20_000,
  retry: RETRY,
  // What is cancelled is cleared away next, so it must have ended.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
});

/** Units that wait for being landed at most, so that the listing does not run ahead without bound. */
const MOST_WAITING_UNITS = 200;
/** What was left by others is looked for so often: the second time finds nothing, unless another crawl runs beside this one. */
const MOST_ROUNDS = 5;

/** What a run hands over to the next one. */
interface Standing {
  readonly crawl: Crawl;
  readonly isOpen: boolean;
  readonly directories: readonly QueuedLists[];
  readonly files: readonly QueuedLists[];
  readonly listings: number;
  readonly round: number;
  readonly listed: { readonly files: number; readonly bytes: number; readonly unseen: number };
  readonly excluded: number;
  readonly passedOver: number;
  readonly tally: Tally;
  readonly startedMs: number;
}

/**
 * Crawls a share and lands its files in HDFS: lists directories, a bounded list at a time, and lands the files of the lists, a window of units
 * at once, which any worker may take. What is listed lies in HDFS; the workflow holds the places of lists and figures.
 *
 * @param given one object, see its contract; nothing counts as `{}`
 * @param standing of the run before, when it continued as new
 * @throws ApplicationFailure, final: `invalid-input`, `not-discoverable`; whatever the activities fail with
 */
export async function discoverLegacyFiles(given?: unknown, standing?: Standing): Promise<DiscoveryResult> {
  const crawler = new Crawler(standing ?? begun(given));
  try {
    const end = await crawler.run();
    if (end !== 'handover') return end;
  } catch (error) {
    await crawler.discard();
    throw error;
  }
  await continueAsNew<typeof discoverLegacyFiles>(given, crawler.standing());
  throw new Error('continued as new');
}

function begun(given: unknown): Standing {
  const input = jobInput(discoveryContract, given);
  const info = workflowInfo();
  return {
    crawl: { crawlId: workName(info), root: input.root ?? '', input },
    isOpen: false,
    directories: [],
    files: [],
    listings: 0,
    round: 0,
    listed: { files: 0, bytes: 0, unseen: 0 },
    excluded: 0,
    passedOver: 0,
    tally: NO_FILES,
    startedMs: info.startTime.getTime(),
  };
}

class Crawler {
  #crawl: Crawl;
  #isOpen: boolean;
  readonly #directories: UnitQueue;
  readonly #files: UnitQueue;
  #listings: number;
  #round: number;
  #listed: Standing['listed'];
  #excluded: number;
  #passedOver: number;
  #tally: Tally;
  readonly #startedMs: number;
  readonly #shown: JobProgress<DiscoveryProgress>;
  #phase: DiscoveryProgress['phase'] = 'opening';
  #isListing = false;
  #landing = 0;
  #underWay = 0;
  #failed = false;

  constructor(standing: Standing) {
    this.#crawl = standing.crawl;
    this.#isOpen = standing.isOpen;
    this.#directories = new UnitQueue(standing.directories);
    this.#files = new UnitQueue(standing.files);
    this.#listings = standing.listings;
    this.#round = standing.round;
    this.#listed = standing.listed;
    this.#excluded = standing.excluded;
    this.#passedOver = standing.passedOver;
    this.#tally = standing.tally;
    this.#startedMs = standing.startedMs;
    this.#shown = new JobProgress(discoveryText, () => this.#progress());
  }

  standing(): Standing {
    return {
      crawl: this.#crawl,
      isOpen: this.#isOpen,
      directories: this.#directories.lists(),
      files: this.#files.lists(),
      listings: this.#listings,
      round: this.#round,
      listed: this.#listed,
      excluded: this.#excluded,
      passedOver: this.#passedOver,
      tally: this.#tally,
      startedMs: this.#startedMs,
    };
  }

  async run(): Promise<DiscoveryResult | 'handover'> {
    this.#shown.show();
    if (!this.#isOpen) {
      const { root, directories } = await activities.openCrawl(this.#crawl);
      this.#crawl = { ...this.#crawl, root };
      this.#directories.add(directories);
      this.#isOpen = true;
    }
    for (;;) {
      this.#become(this.#round === 0 ? 'crawling' : 'checking');
      await this.#work();
      if (this.#isFull()) return 'handover';
      if (this.#crawl.input.dryRun || this.#round >= MOST_ROUNDS) break;
      this.#round++;
      const unlanded = await activities.findUnlanded({ crawl: this.#crawl, round: this.#round });
      if (unlanded.count === 0) break;
      this.#files.add(unlanded, true);
    }
    this.#become('reporting');
    const result = await activities.reportCrawl({
      crawl: this.#crawl,
      listed: this.#listed.files,
      bytes: this.#listed.bytes,
      unseen: this.#listed.unseen,
      excluded: this.#excluded,
      unchanged: this.#tally.unchanged,
      startedMs: this.#startedMs,
    });
    await this.discard();
    return result;
  }

  async discard(): Promise<void> {
    this.#become('ended');
    await CancellationScope.nonCancellable(() => activities.discardCrawl(this.#crawl));
  }

  /** Lists and lands until nothing is left, or the history is long enough. */
  async #work(): Promise<void> {
    const lanes = Array.from({ length: this.#crawl.input.concurrency + 1 }, () => this.#lane());
    const ends = await Promise.allSettled(lanes);
    const failed = ends.filter((end) => end.status === 'rejected');
    // Of a lane that failed, the others are cut short; of a cancellation, all are.
    const failure = failed.find(({ reason }) => !isCancellation(reason)) ?? failed[0];
    if (failure !== undefined) throw failure.reason;
  }

  async #lane(): Promise<void> {
    for (;;) {
      await condition(() => this.#isOver() || this.#mayList() || this.#mayLand());
      if (this.#isOver()) return;
      // Another lane, woken by the same change, may have been quicker.
      const work = this.#mayList() ? this.#list : this.#mayLand() ? this.#land : undefined;
      if (work === undefined) continue;
      this.#underWay++;
      try {
        await work.call(this);
      } catch (error) {
        this.#failed = true;
        throw error;
      } finally {
        this.#underWay--;
      }
      this.#shown.show();
    }
  }

  #isOver(): boolean {
    if (this.#failed || this.#isFull()) return true;
    return this.#underWay === 0 && this.#directories.count === 0 && this.#files.count === 0;
  }

  #isFull(): boolean {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || historyLength >= this.#crawl.input.eventsPerRun;
  }

  #mayList(): boolean {
    return !this.#isListing && this.#directories.count > 0 && this.#files.count < MOST_WAITING_UNITS;
  }

  #mayLand(): boolean {
    return this.#files.count > 0 && this.#landing < this.#crawl.input.concurrency;
  }

  async #list(): Promise<void> {
    const unit = this.#directories.take();
    const { dryRun, maxFiles } = this.#crawl.input;
    this.#isListing = true;
    try {
      const listed = await activities.listDirectories({
        crawl: this.#crawl,
        unit,
        listing: this.#listings++,
        ...(maxFiles === undefined ? {} : { mostFiles: Math.max(0, maxFiles - this.#listed.files) }),
      });
      this.#listed = {
        files: this.#listed.files + listed.listed,
        bytes: this.#listed.bytes + listed.bytes,
        unseen: this.#listed.unseen + listed.unseen,
      };
      this.#excluded += listed.excluded;
      this.#passedOver += listed.passedOver;
      this.#directories.add(listed.directories);
      if (!dryRun) this.#files.add(listed.files);
      if (maxFiles !== undefined && this.#listed.files >= maxFiles) this.#directories.clear();
    } finally {
      this.#isListing = false;
    }
  }

  async #land(): Promise<void> {
    const unit = this.#files.take();
    this.#landing++;
    const landed = await activities.landFiles({ crawl: this.#crawl, unit }).finally(() => this.#landing--);
    // What is looked at again was counted before.
    if (unit.again !== true) this.#tally = tallySum(this.#tally, landed);
  }

  #become(phase: DiscoveryProgress['phase']): void {
    this.#phase = phase;
    this.#shown.show();
  }

  #progress(): DiscoveryProgress {
    return {
      root: this.#crawl.root,
      phase: this.#phase,
      listed: this.#listed.files,
      listingIsComplete: this.#isOpen && this.#directories.count === 0 && !this.#isListing,
      passedOver: this.#passedOver,
      tally: this.#tally,
      unitsLeft: this.#files.count + this.#underWay,
      startedMs: this.#startedMs,
    };
  }
}
