/**
 * Seeded random numbers, a stream of its own for each sensor, in 16 bytes a stream.
 *
 * The generator is sfc32, the "small fast counting" generator of Chris Doty-Humphrey's PractRand (public domain,
 * version 0.94); its seeds come from SplitMix (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014) with the 32-bit finalizer of Austin Appleby's MurmurHash3 (public domain).
 */
export class RandomStreams {
  readonly #state: Uint32Array;

  /** `firstKey + i` seeds stream i, so a stream depends on its key and the seed alone, not on how many there are. */
  constructor(streams: number, seed: number, firstKey: number) {
    this.#state = new Uint32Array(streams * 4);
    for (let stream = 0; stream < streams; stream += 1) this.#seed(stream, seed, firstKey + stream);
  }

  /** The next number of a stream, in [0, 1), with 32 random bits. */
  next(stream: number): number {
    const state = this.#state;
    const at = stream * 4;
    const a = state[at] ?? 0;
    const b = state[at + 1] ?? 0;
    const c = state[at + 2] ?? 0;
    const counter = state[at + 3] ?? 0;
    const result = (a + b + counter) >>> 0;
    state[at] = b ^ (b >>> 9);
    state[at + 1] = (c + (c << 3)) >>> 0;
    state[at + 2] = (((c << 21) | (c >>> 11)) + result) >>> 0;
    state[at + 3] = (counter + 1) >>> 0;
    return result / 4_294_967_296;
  }

  /**
   * About normally distributed, mean 0 and variance 1, within ±3: the sum of three uniform numbers (Irwin–Hall), which is all
   * that measuring noise needs and costs a third of a logarithm and a cosine.
   */
  nextNoise(stream: number): number {
    return (this.next(stream) + this.next(stream) + this.next(stream) - 1.5) * 2;
  }

  /** The four words of a stream: with them the sequence can be continued or checked elsewhere. */
  state(stream: number): readonly number[] {
    return [...this.#state.subarray(stream * 4, stream * 4 + 4)];
  }

  #seed(stream: number, seed: number, key: number): void {
    const at = stream * 4;
    // Both halves of both numbers count: seeds and keys may pass 2^32.
    let mixed = mix32(seed >>> 0);
    mixed = mix32(mixed ^ Math.floor(seed / 4_294_967_296));
    mixed = mix32((mixed + 0x9e3779b9) ^ (key >>> 0));
    mixed = mix32(mixed ^ Math.floor(key / 4_294_967_296));
    for (let word = 0; word < 3; word += 1) {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      this.#state[at + word] = mix32(mixed);
    }
    this.#state[at + 3] = 1;
    for (let round = 0; round < 12; round += 1) this.next(stream);
  }
}

/** MurmurHash3's 32-bit finalizer. */
function mix32(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
