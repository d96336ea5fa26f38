import type { Logger } from '../../../runtime/logger.ts';
import { savePosition, type ReplayPosition } from './position.ts';

const SAVE_EVERY_MS = 1_000;

/** Keeps the newest acknowledged position of a replay in its state file, written at most once a second. */
export class PositionKeeper {
  readonly #stateFile: string | undefined;
  readonly #logger: Logger;
  readonly #now: () => number;
  #acknowledged: ReplayPosition;
  #savedAtMs = 0;
  #saving: Promise<void> | undefined;

  /** @param stateFile undefined: it is kept nowhere */
  constructor(stateFile: string | undefined, position: ReplayPosition, logger: Logger, now: () => number) {
    this.#stateFile = stateFile;
    this.#acknowledged = position;
    this.#logger = logger;
    this.#now = now;
  }

  /** Kafka has acknowledged all before `position`. */
  acknowledge(position: ReplayPosition): void {
    this.#acknowledged = position;
    const stateFile = this.#stateFile;
    const nowMs = this.#now();
    if (stateFile === undefined || this.#saving !== undefined || nowMs - this.#savedAtMs < SAVE_EVERY_MS) return;
    this.#savedAtMs = nowMs;
    this.#saving = savePosition(stateFile, position)
      .catch((error: unknown) => {
        // Tried again with the next acknowledgement; if it never succeeds, close() fails with it.
        this.#logger.error({ err: error }, 'the position could not be saved');
      })
      .finally(() => {
        this.#saving = undefined;
      });
  }

  /**
   * Saves the last position.
   *
   * @throws GridError `invalid-configuration`: it cannot be written
   */
  async close(): Promise<void> {
    await this.#saving;
    if (this.#stateFile !== undefined) await savePosition(this.#stateFile, this.#acknowledged);
  }
}
