import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventDays, type Stretch } from './days.ts';

const DAY_MS = 86_400_000;
const stretch = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 8 }))
  .map(([first, length]): Stretch => [first, first + length]);

function daysOf(stretches: Iterable<Stretch>): number[] {
  const days = new Set<number>();
  for (const [first, last] of stretches) for (let day = first; day <= last; day++) days.add(day);
  return [...days].sort((a, b) => a - b);
}

test('stretches hold just the days that were added, apart from each other and in order', () => {
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 20 }), stretch, (added, [first, last]) => {
      const days = EventDays.of(added);
      const expected = daysOf(added);
      expect(daysOf(days.stretches)).toEqual(expected);
      for (const [index, [start]] of days.stretches.slice(1).entries()) {
        expect(start).toBeGreaterThan((days.stretches[index]?.[1] ?? 0) + 1);
      }
      const asked = daysOf([[first, last]]);
      const [minMs, maxMs] = [first * DAY_MS + 5, last * DAY_MS + 7];
      expect(days.touches(minMs, maxMs)).toBe(asked.some((day) => expected.includes(day)));
      expect(days.holds(minMs, maxMs)).toBe(asked.every((day) => expected.includes(day)));
      expect(EventDays.of([[first, last]]).isWithin(days)).toBe(days.holds(minMs, maxMs));
    }),
  );
});

test('very many stretches are joined where they are closest, and lose no day', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 300, maxLength: 900 }), (some) => {
      const days = EventDays.of(some.map((day): Stretch => [day, day]));
      expect(days.stretches.length).toBeLessThanOrEqual(200);
      const held = new Set(daysOf(days.stretches));
      expect(some.every((day) => held.has(day))).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test.each([
  ['2024-02-29T00:00:00Z', '2024-03-01T00:00:00Z', [[19_782, 19_782]]],
  ['2024-02-29T12:00:00Z', '2024-03-01T00:00:01Z', [[19_782, 19_783]]],
])('from %s to before %s are the days %j', (from, to, expected) => {
  expect(EventDays.between(Date.parse(from), Date.parse(to)).stretches).toEqual(expected);
});

test('without ends they are all days', () => {
  expect(EventDays.between(undefined, undefined).isAll).toBe(true);
  expect(EventDays.between(0, 5).isAll).toBe(false);
});
