import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  workflowInfo,
} from '@temporalio/workflow';
import { tablesProgressed, type ProgressDelta } from './messages.ts';

/** Between two reports: a hundredth of the time since the start, so that a report a second old says enough, within these limits. */
const SHORTEST_INTERVAL_MS = 2_000;
const LONGEST_INTERVAL_MS = 300_000;
const TABLES_PER_REPORT = 200;

/**
 * Tells the workflow that started this one how its tables stand: only what has changed, and seldom enough that a run of days fits
 * into one history.
 */
export class ProgressReport {
  readonly #changed = new Set<number>();
  readonly #describe: (index: number) => ProgressDelta[1];
  readonly #startedMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #waiting = false;

  /** @param startedMs when the work began, epoch ms, maybe in an earlier run */
  constructor(startedMs: number, describe: (index: number) => ProgressDelta[1]) {
    this.#startedMs = startedMs;
    this.#describe = describe;
  }

  changed(index: number): void {
    this.#changed.add(index);
    this.#sendInTime();
  }

  #sendInTime(): void {
    const dueInMs = this.#lastMs + this.#intervalMs() - Date.now();
    if (dueInMs <= 0) this.#send();
    else if (!this.#waiting) void this.#sendLater(dueInMs);
  }

  async #sendLater(dueInMs: number): Promise<void> {
    this.#waiting = true;
    try {
      // Not a sleep: what is sent meanwhile makes it needless.
      await condition(() => this.#changed.size === 0, dueInMs);
    } catch (error) {
      if (!isCancellation(error)) throw error;
      return;
    } finally {
      this.#waiting = false;
    }
    if (this.#changed.size > 0) this.#send();
    if (this.#changed.size > 0) this.#sendInTime();
  }

  #send(): void {
    const { parent } = workflowInfo();
    if (parent === undefined || CancellationScope.current().consideredCancelled) return;
    const indices = [...this.#changed].slice(0, TABLES_PER_REPORT);
    for (const index of indices) this.#changed.delete(index);
    this.#lastMs = Date.now();
    const deltas = indices.map((index): ProgressDelta => [index, this.#describe(index)]);
    getExternalWorkflowHandle(parent.workflowId, parent.runId)
      .signal(tablesProgressed, deltas)
      .catch((error: unknown) => {
        log.debug('nobody took the report of progress', { error });
      });
  }

  #intervalMs(): number {
    return Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, (Date.now() - this.#startedMs) / 100));
  }
}
