import { expect, test } from 'vitest';
import { Rate } from './rate.ts';

test('is the mean over the window, whatever was before', () => {
  const rate = new Rate(6_000);
  for (let second = 0; second <= 100; second++)
    rate.add(second < 50 ? second * 1_000 : 50_000 + second * 10, second * 1_000);
  expect(rate.perSecond).toBeCloseTo(10);
});

test('is not known from one reading, and starts over with a counter that began anew', () => {
  const rate = new Rate(6_000);
  expect(rate.perSecond).toBeUndefined();
  rate.add(5_000, 0);
  rate.add(6_000, 1_000);
  expect(rate.perSecond).toBe(1_000);
  rate.add(0, 2_000);
  expect(rate.perSecond).toBeUndefined();
  rate.add(30, 3_000);
  expect(rate.perSecond).toBe(30);
});
