import { expect, test } from 'vitest';
import { ledgerOf } from './ledger.ts';
import { RateMeter } from './rate-meter.ts';

const bounds = [
  { partition: 0, low: 0, high: 100 },
  { partition: 1, low: 10, high: 50 },
];
const committed = [
  { partition: 0, nextOffset: 100, records: 97, unreadable: 2, notRouted: 0, missing: 1, expired: 0 },
  { partition: 1, nextOffset: 50, records: 50, unreadable: 0, notRouted: 0, missing: 0, expired: 0 },
];
const read = new Map([
  [0, 100],
  [1, 50],
]);

test('all that was accepted is accounted for, or it is said what is not', () => {
  expect(ledgerOf(bounds, committed, 147, read)).toMatchObject({
    accepted: 150,
    verdict: 'balanced',
    hdfs: { behind: 0, unaccounted: 0 },
  });
  expect(ledgerOf(bounds, committed, 146, read).verdict).toBe('differs');
  expect(ledgerOf(bounds, committed, undefined, read).verdict).toBe('unknown');
  expect(
    ledgerOf(
      bounds,
      committed,
      140,
      new Map([
        [0, 100],
        [1, 43],
      ]),
    ).verdict,
  ).toBe('catching up');
  expect(ledgerOf(bounds, committed.slice(0, 1), 147, read)).toMatchObject({
    verdict: 'catching up',
    hdfs: { behind: 50 },
  });
  const [first, second] = committed as [(typeof committed)[0], (typeof committed)[0]];
  expect(ledgerOf(bounds, [{ ...first, records: 96 }, second], 147, read).verdict).toBe('differs');
  expect(ledgerOf(bounds, [{ ...first, records: 96, expired: 1 }, second], 147, read).verdict).toBe('loss');
});

test('a rate is over what is known, and begins anew when a total goes back', () => {
  const meter = new RateMeter();
  meter.note('a', 100, 0);
  expect(meter.of('a')).toBeUndefined();
  meter.note('a', 300, 2_000);
  expect(meter.of('a')).toBe(100);
  meter.note('a', 10, 4_000);
  expect(meter.of('a')).toBeUndefined();
});
