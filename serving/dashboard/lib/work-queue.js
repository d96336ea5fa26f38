// @ts-check

/** Does so many things at once; what is added last is done first, since that is what was just scrolled to. */
export class WorkQueue {
  #lanes;
  #busy = 0;
  /** @type {(() => Promise<void>)[]} */
  #waiting = [];

  /** @param {number} lanes */
  constructor(lanes) {
    this.#lanes = lanes;
  }

  /** @param {() => Promise<void>} work never fails */
  add(work) {
    this.#waiting.push(work);
    this.#next();
  }

  clear() {
    this.#waiting = [];
  }

  #next() {
    if (this.#busy >= this.#lanes) return;
    const work = this.#waiting.pop();
    if (work === undefined) return;
    this.#busy++;
    void work().finally(() => {
      this.#busy--;
      this.#next();
    });
  }
}
