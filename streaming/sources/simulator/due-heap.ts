/**
 * The schedule of a fleet: which sensor is due next. A heap with four children a node over typed arrays, 12 bytes a sensor;
 * sensors due at the same moment come in the order of their indexes, so the sequence is the same every time.
 */
export class DueHeap {
  readonly #heap: Uint32Array;
  readonly #due: Float64Array;

  /** Takes over `due`, the moment at which each sensor is due; {@link reschedule} changes it. */
  constructor(due: Float64Array) {
    this.#due = due;
    this.#heap = Uint32Array.from(due, (_moment, index) => index);
    for (let at = Math.floor((due.length - 2) / 4); at >= 0; at -= 1) this.#siftDown(at);
  }

  /** The sensor that is due first. */
  get first(): number {
    return this.#heap[0] ?? 0;
  }

  /** When it is due; `Infinity` for an empty fleet. */
  get firstDue(): number {
    return this.#due[this.first] ?? Infinity;
  }

  /** Gives the sensor that is due first its next moment. */
  reschedule(due: number): void {
    this.#due[this.first] = due;
    this.#siftDown(0);
  }

  #siftDown(start: number): void {
    const heap = this.#heap;
    const due = this.#due;
    const moved = heap[start] ?? 0;
    const movedDue = due[moved] ?? Infinity;
    let at = start;
    for (;;) {
      const firstChild = at * 4 + 1;
      if (firstChild >= heap.length) break;
      const end = Math.min(firstChild + 4, heap.length);
      let best = firstChild;
      let bestSensor = heap[firstChild] ?? 0;
      let bestDue = due[bestSensor] ?? Infinity;
      for (let child = firstChild + 1; child < end; child += 1) {
        const sensor = heap[child] ?? 0;
        const childDue = due[sensor] ?? Infinity;
        if (childDue < bestDue || (childDue === bestDue && sensor < bestSensor)) {
          best = child;
          bestSensor = sensor;
          bestDue = childDue;
        }
      }
      if (movedDue < bestDue || (movedDue === bestDue && moved < bestSensor)) break;
      heap[at] = bestSensor;
      at = best;
    }
    heap[at] = moved;
  }
}
