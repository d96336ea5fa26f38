import { describe, expect, it } from 'vitest';
import { RateLimit } from './rate-limit.ts';

describe('a rate limit', () => {
  it('lets what arrives slower than the rate pass without waiting', () => {
    let nowMs = 0;
    const limit = new RateLimit(1_000, () => nowMs);
    for (let second = 0; second < 100; second++) {
      expect(limit.spend(900)).toBe(0);
      nowMs += 1_000;
    }
  });

  it('holds the rate on what arrives faster', () => {
    let nowMs = 0;
    const limit = new RateLimit(1_000, () => nowMs);
    for (let piece = 0; piece < 100; piece++) nowMs += limit.spend(700);
    // A second's worth was free.
    expect(nowMs).toBeCloseTo(69_000, 3);
  });

  it('does not save up a pause', () => {
    let nowMs = 0;
    const limit = new RateLimit(1_000, () => nowMs);
    nowMs = 1_000_000;
    expect(limit.spend(1_000)).toBe(0);
    expect(limit.spend(500)).toBeCloseTo(500, 6);
  });

  it('lets a piece pass that is larger than the rate, and waits afterwards', () => {
    const limit = new RateLimit(1_000, () => 0);
    expect(limit.spend(11_000)).toBeCloseTo(10_000, 6);
  });

  it('ends the wait when it is aborted', async () => {
    const limit = new RateLimit(1);
    const aborting = new AbortController();
    const waiting = limit.take(1_000_000, aborting.signal);
    aborting.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow();
  });
});
