import { expect, test } from 'vitest';
import { RandomStreams } from './random.ts';

/** The generator as PractRand's author states it, over big integers. */
function* sfc32(state: readonly [bigint, bigint, bigint, bigint]): Generator<number> {
  const mask = 0xffff_ffffn;
  let [a, b, c, counter] = state;
  for (;;) {
    const result = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = ((((c << 21n) & mask) | (c >> 11n)) + result) & mask;
    yield Number(result) / 2 ** 32;
  }
}

test('numbers are those of sfc32', () => {
  const streams = new RandomStreams(1, 42, 7);
  const [a = 0, b = 0, c = 0, counter = 0] = streams.state(0);
  const reference = sfc32([BigInt(a), BigInt(b), BigInt(c), BigInt(counter)]);
  for (let i = 0; i < 1_000; i += 1) expect(streams.next(0)).toBe(reference.next().value);
});

test('a stream depends on seed and key alone, not on the other streams', () => {
  const many = new RandomStreams(100, 5, 1_000);
  const one = new RandomStreams(1, 5, 1_042);
  for (let i = 0; i < 50; i += 1) many.next(41);
  expect(many.next(42)).toBe(one.next(0));
});

test('seeds beyond 32 bits are told apart', () => {
  const seeds = [1, 2 ** 32 + 1, 2 ** 33 + 1, 2 ** 52 + 1];
  expect(new Set(seeds.map((seed) => new RandomStreams(1, seed, 0).next(0))).size).toBe(seeds.length);
});

test('neighbouring streams are spread evenly over their range', () => {
  const streams = new RandomStreams(10_000, 1, 1);
  const tenths = new Array<number>(10).fill(0);
  for (let stream = 0; stream < 10_000; stream += 1) {
    const tenth = Math.floor(streams.next(stream) * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  // 1,000 each, standard deviation 30.
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test('noise has mean 0 and variance 1', () => {
  const streams = new RandomStreams(1, 9, 9);
  const values = Array.from({ length: 50_000 }, () => streams.nextNoise(0));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
  expect(mean).toBeCloseTo(0, 1);
  expect(variance).toBeCloseTo(1, 1);
});
