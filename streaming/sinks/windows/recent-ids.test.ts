import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentIds } from './recent-ids.ts';

/** The same, remembering everything. */
function naive(horizon: number): (offset: number, id: string) => boolean {
  const offsets = new Map<string, number>();
  return (offset, id) => {
    const before = offsets.get(id);
    offsets.set(id, offset);
    return before !== undefined && before > offset - horizon;
  };
}

const uuids = Array.from({ length: 12 }, () => randomUUID());
const id = fc.oneof(
  fc.constantFrom(...uuids),
  fc.constantFrom(...uuids.map((uuid) => uuid.toUpperCase())),
  fc.constantFrom('a', 'b', 'ü', uuids[0]?.replaceAll('-', '_') ?? '', 'x'.repeat(36)),
);
const log = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), id), { maxLength: 300, size: 'max' });

test('an id is known for a horizon of offsets, however many there are and whatever is missing in between', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), log, (horizon, records) => {
      const recent = new RecentIds(horizon);
      const expected = naive(horizon);
      let offset = 0;
      for (const [step, each] of records) {
        offset += step;
        expect(recent.add(offset, each)).toBe(expected(offset, each));
      }
    }),
  );
});

test('whoever begins a horizon earlier decides alike', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), log, fc.nat(), (horizon, steps, any) => {
      let at = 0;
      const records = steps.map(([step, each]) => ({ offset: (at += step), id: each }));
      const start = records[any % Math.max(1, records.length)]?.offset ?? 0;
      const whole = new RecentIds(horizon);
      const restarted = new RecentIds(horizon);
      for (const { offset, id: each } of records) {
        const seen = whole.add(offset, each);
        if (offset < start - horizon) continue;
        const seenAgain = restarted.add(offset, each);
        if (offset >= start) expect(seenAgain).toBe(seen);
      }
    }),
  );
});

test('without a horizon nothing is known, and a large one takes what it takes from the beginning', () => {
  const none = new RecentIds(0);
  expect([none.add(0, 'a'), none.add(1, 'a')]).toEqual([false, false]);
  const recent = new RecentIds(4_096);
  for (let offset = 0; offset < 20_000; offset++) expect(recent.add(offset, String(offset % 5_000))).toBe(false);
  expect(recent.add(20_000, String(19_999 % 5_000))).toBe(true);
});
