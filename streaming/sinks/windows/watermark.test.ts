import { expect, test } from 'vitest';
import { Watermark } from './watermark.ts';

const limits = { latenessMs: 10_000, idleMs: 5_000 };
const NOW = 1_700_000_000_000;

test('it follows the newest measurement, less the lateness, and never goes back', () => {
  const watermark = new Watermark(limits, undefined, NOW);
  expect(watermark.at(NOW, true)).toBeUndefined();
  watermark.observe(NOW - 100, NOW, NOW);
  expect(watermark.at(NOW, true)).toBe(NOW - 10_100);
  watermark.observe(NOW - 90_000, NOW, NOW);
  expect(watermark.at(NOW, true)).toBe(NOW - 10_100);
});

test('a measurement from the future counts as one of when it was appended, by whatever clock is behind', () => {
  const watermark = new Watermark(limits, undefined, NOW);
  watermark.observe(NOW + 3_000_000, NOW - 50, NOW);
  expect(watermark.at(NOW, true)).toBe(NOW - 10_050);
  watermark.observe(NOW + 3_000_000, NOW + 2_000_000, NOW + 1);
  expect(watermark.at(NOW, true)).toBe(NOW - 9_999);
});

test('where nothing comes the clock moves it on, but not while something waits to be read', () => {
  const watermark = new Watermark(limits, NOW - 500_000, NOW);
  expect(watermark.at(NOW + 4_999, true)).toBe(NOW - 500_000);
  expect(watermark.at(NOW + 6_000, false)).toBe(NOW - 500_000);
  expect(watermark.at(NOW + 6_000, true)).toBe(NOW - 4_000);
  expect(watermark.at(NOW, true)).toBe(NOW - 4_000);
  watermark.observe(NOW + 7_000, NOW + 7_000, NOW + 7_000);
  expect(watermark.at(NOW + 8_000, true)).toBe(NOW - 3_000);
});

test('it goes on from where it was', () => {
  const watermark = new Watermark(limits, NOW, NOW + 1_000);
  watermark.observe(NOW + 10_000, NOW + 11_000, NOW + 11_000);
  expect(watermark.at(NOW + 11_000, true)).toBe(NOW);
  watermark.observe(NOW + 10_001, NOW + 11_000, NOW + 11_000);
  expect(watermark.at(NOW + 11_000, true)).toBe(NOW + 1);
});
