import { expect, test } from 'vitest';
import { PacedClock } from './paced-clock.ts';

/** A wall clock that the test moves. */
function clockAt(options: { startMs: number; fromMs?: number; speed: number }) {
  let wallMs = 5_000;
  const clock = new PacedClock({ ...options, now: () => wallMs });
  const after = (ms: number, nextDueMs?: number): number => {
    wallMs += ms;
    return clock.position(nextDueMs);
  };
  return { clock, after };
}

test('the schedule runs at the speed asked for', () => {
  const { after } = clockAt({ startMs: 1_000_000, speed: 900 });
  expect(after(50)).toBe(1_000_000 + 50 * 900);
  expect(after(30)).toBe(1_000_000 + 80 * 900);
});

test('speed 0 lets everything through at once', () => {
  const { after, clock } = clockAt({ startMs: 0, speed: 0 });
  expect(after(0)).toBe(Infinity);
  expect(clock.waitMs(1e15)).toBe(0);
});

test('after a pause the schedule catches up in steps of at most 400 ms instead of at once', () => {
  const { after, clock } = clockAt({ startMs: 0, speed: 1 });
  let before = after(60_000);
  expect(before).toBe(400);
  expect(clock.lagMs()).toBe(59_600);
  let steps = 0;
  while (clock.lagMs() > 0) {
    const now = after(20);
    expect(now - before).toBeLessThanOrEqual(20 * 4);
    before = now;
    steps += 1;
  }
  // 59.6 s behind, gaining 60 ms a step.
  expect(steps).toBe(Math.ceil(59_600 / 60));
});

test('a stretch in which nothing is due is not a pause', () => {
  const { after } = clockAt({ startMs: 0, speed: 1 });
  expect(after(10_000, 10_000)).toBe(10_000);
  expect(after(30_000, 35_000)).toBe(35_400);
});

test('what lies before the start is caught up as well', () => {
  const { after } = clockAt({ startMs: 100_000, fromMs: 40_000, speed: 1 });
  expect(after(0)).toBe(40_000);
  expect(after(50)).toBe(40_200);
});

test('a wall clock that is set back does not turn the schedule back', () => {
  const { after } = clockAt({ startMs: 0, speed: 1 });
  expect(after(90)).toBe(90);
  expect(after(-60_000)).toBe(90);
});

test('the wait ends when the schedule reaches what is due', () => {
  const { clock } = clockAt({ startMs: 0, speed: 900 });
  expect(clock.waitMs(900_000)).toBe(1_000);
  expect(clock.waitMs(-5)).toBe(0);
});
