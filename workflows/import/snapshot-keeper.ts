import { CancellationScope, condition, isCancellation, log } from '@temporalio/workflow';
import type { ImportRun } from './activity-contract.ts';
import type { SourceSnapshot } from '../../grid/history/sql-source.ts';
import { holdSnapshot } from './activity-calls.ts';

/** How long the keeper has to notice by itself that its snapshot is gone, once a reader has said so. */
const NOTICE_MS = 20_000;
/** Times in a row that a keeper may end without having told of a snapshot. */
const FRUITLESS_TRIES = 3;

export interface KeeperEvents {
  /** The first snapshot, and each that makes the one before void. */
  taken(snapshot: SourceSnapshot): void;
  /** No snapshot can be had any more. */
  failed(): void;
}

/**
 * Sees to it that somebody holds a snapshot of the source.
 *
 *     idle → holding → released → holding …   start, release
 *     holding → holding                        the activity was lost, or its snapshot: a new one, told by the signal `snapshotTaken`
 *     holding → failed                         no snapshot can be had
 */
export class SnapshotKeeper {
  readonly #events: KeeperEvents;
  #state: 'idle' | 'holding' | 'released' | 'failed' = 'idle';
  #snapshot: SourceSnapshot | undefined;
  #scope = new CancellationScope();
  #taken = 0;
  #failure: unknown;
  #isReplaced = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(events: KeeperEvents) {
    this.#events = events;
  }

  /** How many snapshots were taken since the start. */
  get taken(): number {
    return this.#taken;
  }

  get hasFailed(): boolean {
    return this.#state === 'failed';
  }

  /** To be called with what the signal `snapshotTaken` says. */
  took(snapshot: SourceSnapshot): void {
    // What an activity says that was given up long ago.
    if (this.#state !== 'holding') return;
    this.#snapshot = snapshot;
    this.#taken += 1;
    this.#events.taken(snapshot);
  }

  start(run: ImportRun): void {
    if (this.#state === 'holding') throw new RangeError('the keeper holds a snapshot already');
    this.#state = 'holding';
    this.#snapshot = undefined;
    this.#taken = 0;
    this.#ended = this.#hold(run);
  }

  /** The snapshot that is held, waited for. @throws whatever keeps the keeper from taking one */
  async snapshot(): Promise<SourceSnapshot> {
    await condition(() => this.#snapshot !== undefined || this.#state !== 'holding');
    if (this.#snapshot === undefined || this.#state === 'failed') throw this.failure;
    return this.#snapshot;
  }

  /** Why no snapshot can be had. */
  get failure(): unknown {
    return this.#failure ?? new RangeError('no snapshot is held');
  }

  /** A reader says that `lost` is gone: unless the keeper notices as well, it is replaced. Zombies can make that necessary. */
  async lost(lost: SourceSnapshot): Promise<void> {
    const isStillThat = (): boolean =>
      this.#state === 'holding' && this.#snapshot?.takenAt === lost.takenAt && this.#snapshot.id === lost.id;
    if (!isStillThat()) return;
    await condition(() => !isStillThat(), NOTICE_MS);
    if (!isStillThat()) return;
    log.warn('the keeper holds a snapshot that the source does not know; another is taken', { snapshot: lost });
    this.#isReplaced = true;
    this.#scope.cancel();
  }

  /** Lets go of the snapshot, and waits until it is gone. */
  async release(): Promise<void> {
    if (this.#state === 'idle') return;
    if (this.#state === 'holding') this.#state = 'released';
    this.#scope.cancel();
    await this.#ended;
  }

  async #hold(run: ImportRun): Promise<void> {
    const outer = CancellationScope.current();
    let fruitless = 0;
    while (this.#state === 'holding') {
      const before = this.#taken;
      let failure: unknown;
      try {
        this.#scope = new CancellationScope();
        await this.#scope.run(() => holdSnapshot(run));
      } catch (error) {
        if (!isCancellation(error)) failure = error;
      }
      if (outer.consideredCancelled) this.#state = 'released';
      if (this.#state !== 'holding') return;
      if (this.#taken !== before) fruitless = 0;
      else if (!this.#isReplaced) fruitless += 1;
      this.#isReplaced = false;
      // An activity that failed has been tried many times already.
      if (fruitless >= (failure === undefined ? FRUITLESS_TRIES : 1)) {
        this.#failure = failure ?? new Error('the activity holdSnapshot ends without having taken a snapshot');
        this.#state = 'failed';
        this.#events.failed();
      }
    }
  }
}
