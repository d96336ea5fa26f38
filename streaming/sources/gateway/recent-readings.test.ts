import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RecentReadings } from './recent-readings.ts';

const bytes = (text: string) => Buffer.from(text);

it('knows only what was added', () => {
  const recent = new RecentReadings(10, 60_000);
  const digest = recent.digest(bytes('a'));
  expect(recent.has(digest)).toBe(false);
  recent.add(digest);
  expect(recent.has(recent.digest(bytes('a')))).toBe(true);
  expect(recent.has(recent.digest(bytes('b')))).toBe(false);
});

it('forgets the oldest beyond its bound', () => {
  const recent = new RecentReadings(2, 60_000);
  const digests = ['a', 'b', 'c'].map((text) => recent.digest(bytes(text)));
  for (const digest of digests) recent.add(digest);
  expect(digests.map((digest) => recent.has(digest))).toEqual([false, true, true]);
});

it('forgets what is too old', async () => {
  const recent = new RecentReadings(2, 1);
  const digest = recent.digest(bytes('a'));
  recent.add(digest);
  // The library looks at the clock once a second.
  for (let tries = 0; tries < 100 && recent.has(digest); tries++) await sleep(50);
  expect(recent.has(digest)).toBe(false);
}, 20_000);

it('can be switched off', () => {
  const recent = new RecentReadings(0, 60_000);
  recent.add(recent.digest(bytes('a')));
  expect(recent.has(recent.digest(bytes('a')))).toBe(false);
});
