import { expect, it } from 'vitest';
import { retryAfterMs } from './rest-poll.ts';

it('reads Retry-After as seconds and as a date', () => {
  const nowMs = Date.UTC(2024, 0, 1);
  expect(retryAfterMs('120', nowMs)).toBe(120_000);
  expect(retryAfterMs('Mon, 01 Jan 2024 00:00:30 GMT', nowMs)).toBe(30_000);
  expect(retryAfterMs('Sun, 31 Dec 2023 00:00:30 GMT', nowMs)).toBe(0);
  expect(retryAfterMs('soon', nowMs)).toBeUndefined();
  expect(retryAfterMs(null, nowMs)).toBeUndefined();
});
