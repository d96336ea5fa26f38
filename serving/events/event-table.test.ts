import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventTable, type LiveEvent } from './event-table.ts';

const event = (key: string, rank: number): LiveEvent => ({
  kind: 'reading',
  key,
  sensorId: key,
  data: `${key} ${rank}`,
  rank,
});

test('whoever comes back is told the newest of each key that it lacks, once and in order, or that it cannot be told', () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), rank: fc.integer({ min: 0, max: 20 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), fc.nat(60), (steps, most, since) => {
      const table = new EventTable(most);
      const taken: { number: number; key: string; data: string }[] = [];
      const held = new Map<string, number>();
      for (const { key, rank } of steps) {
        const numbered = table.put(event(key, rank));
        if (numbered === undefined) expect(held.get(key)).toBeGreaterThan(rank);
        else {
          taken.push(numbered);
          held.set(key, rank);
          if (held.size > most) {
            // The key that was told of longest ago is forgotten.
            const last = (each: string) => taken.findLast((one) => one.key === each)?.number ?? 0;
            const [oldest = ''] = [...held.keys()].sort((x, y) => last(x) - last(y));
            held.delete(oldest);
          }
        }
      }
      expect(table.size).toBe(held.size);
      if (!table.reachesBackTo(since)) return;
      const newest = new Map(taken.map((one) => [one.key, one]));
      const missed = [...newest.values()].filter(({ number }) => number > since).sort((x, y) => x.number - y.number);
      expect(table.after(since, () => true, 100).events.map(({ data }) => data)).toEqual(
        missed.map(({ data }) => data),
      );
    }),
  );
});

test('much is told in several parts, which leave nothing out', () => {
  const table = new EventTable(100);
  for (let at = 0; at < 50; at++) table.put(event(`k${at}`, at));
  const told: string[] = [];
  for (let at = 0; at < table.last;) {
    const { events, upTo } = table.after(at, ({ number }) => number % 2 === 0, 7);
    told.push(...events.map(({ key }) => key));
    at = upTo;
  }
  expect(told).toEqual(Array.from({ length: 25 }, (_, index) => `k${index * 2 + 1}`));
});
