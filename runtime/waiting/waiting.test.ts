import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { firstAbortionOf, orAborted } from './abortion.ts';
import { Backoff } from './backoff.ts';
import { pause } from './pause.ts';
import { orLate, within } from './time-limit.ts';

const never = (): Promise<never> => new Promise(() => undefined);

test('work that ends is what it was, and leaves no listener behind', async () => {
  const { signal } = new AbortController();
  expect(await orAborted(Promise.resolve(7), signal)).toBe(7);
  await expect(orAborted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('an abortion ends waiting with its reason, whether it comes before or meanwhile', async () => {
  const controller = new AbortController();
  const waiting = orAborted(never(), controller.signal);
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(orAborted(never(), controller.signal)).rejects.toThrow('enough');
});

test('the first of several abortions counts, and letting go leaves no listener behind', () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const first = firstAbortionOf([one.signal, other.signal]);
  other.abort('other');
  one.abort('one');
  expect(first.signal.reason).toBe('other');
  const second = firstAbortionOf([new AbortController().signal, one.signal]);
  expect(second.signal.reason).toBe('one');
  const lasting = new AbortController().signal;
  firstAbortionOf([lasting]).forget();
  expect(getEventListeners(lasting, 'abort')).toEqual([]);
});

test('a limit ends waiting for what never ends, with the error that was asked for', async () => {
  await expect(within(1, never())).rejects.toThrow('no answer within 1 ms');
  await expect(within(1, never(), () => new Error('too slow'))).rejects.toThrow('too slow');
  expect(await within(60_000, Promise.resolve(7))).toBe(7);
  expect(await orLate(1, never())).toEqual({ late: true });
  expect(await orLate(60_000, Promise.resolve(7))).toEqual({ late: false, value: 7 });
});

test('a pause tells whether it was cut short', async () => {
  expect(await pause(1)).toBe(true);
  const controller = new AbortController();
  const long = pause(3_600_000, controller.signal);
  controller.abort();
  expect(await long).toBe(false);
  expect(await pause(3_600_000, controller.signal)).toBe(false);
});

test('a pause longer than a timer can be set for is one, too', async () => {
  const controller = new AbortController();
  const days = pause(31 * 86_400_000, controller.signal);
  expect(await orLate(50, days)).toEqual({ late: true });
  controller.abort();
  expect(await days).toBe(false);
});

test('delays double up to the longest, and begin again after a success', () => {
  const backoff = new Backoff({ firstMs: 100, longestMs: 350 });
  expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([100, 200, 350, 350]);
  backoff.reset();
  expect(backoff.next()).toBe(100);
  const jittered = new Backoff({ firstMs: 100, longestMs: 100, jitter: 0.2 });
  for (let at = 0; at < 100; at++) {
    const delayMs = jittered.next();
    expect(delayMs).toBeGreaterThanOrEqual(80);
    expect(delayMs).toBeLessThanOrEqual(120);
  }
});
