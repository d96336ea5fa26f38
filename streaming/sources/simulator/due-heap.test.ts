import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueHeap } from './due-heap.ts';

test('sensors come in the order of their due times, equal ones by their index, however they are rescheduled', () => {
  const moment = fc.integer({ min: 0, max: 50 });
  fc.assert(
    fc.property(
      fc.array(moment, { minLength: 1, maxLength: 60 }),
      fc.array(moment, { maxLength: 200 }),
      (start, delays) => {
        const due = [...start];
        const heap = new DueHeap(Float64Array.from(start));
        for (const delay of delays) {
          const expected = due.indexOf(Math.min(...due));
          expect(heap.first).toBe(expected);
          expect(heap.firstDue).toBe(due[expected]);
          due[expected] = (due[expected] ?? 0) + delay;
          heap.reschedule(due[expected]);
        }
      },
    ),
  );
});

test('a heap without sensors is never due', () => {
  expect(new DueHeap(new Float64Array(0)).firstDue).toBe(Infinity);
});
