import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StopRequest } from './stop-request.ts';

const INTERRUPT = { kind: 'signal', signal: 'SIGINT' } as const;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('the first request stops, a second one hurries', () => {
  const stop = new StopRequest();
  stop.request(INTERRUPT);
  expect([stop.stopping.aborted, stop.hurrying.aborted]).toEqual([true, false]);
  vi.advanceTimersByTime(1_000);
  stop.request(INTERRUPT);
  expect(stop.hurrying.aborted).toBe(true);
});

test('a signal that npm passes on beside the terminal is no second request', () => {
  const stop = new StopRequest();
  stop.request(INTERRUPT);
  vi.advanceTimersByTime(20);
  stop.request(INTERRUPT);
  expect(stop.hurrying.aborted).toBe(false);
});

test('Ctrl-C hurries a stop that the time limit began', () => {
  const stop = new StopRequest();
  stop.request({ kind: 'time' });
  vi.advanceTimersByTime(1_000);
  stop.request({ kind: 'output-closed' });
  expect(stop.hurrying.aborted).toBe(false);
  stop.request(INTERRUPT);
  expect(stop.hurrying.aborted).toBe(true);
  expect(stop.reason).toEqual({ kind: 'time' });
});
