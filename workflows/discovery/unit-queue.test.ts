import { expect, test } from 'vitest';
import { UnitQueue } from './unit-queue.ts';

test('units come in order, list by list, also after a handover', () => {
  const queue = new UnitQueue([]);
  queue.add({ directory: '/a', count: 2, name: 'a' });
  queue.add({ directory: '/none', count: 0, name: 'none' });
  queue.add({ directory: '/b', count: 1, name: 'b' }, true);
  expect(queue.count).toBe(3);
  expect(queue.take()).toEqual({ directory: '/a', index: 0, name: 'a' });
  const next = new UnitQueue(queue.lists());
  expect([next.take(), next.take(), next.count]).toEqual([
    { directory: '/a', index: 1, name: 'a' },
    { directory: '/b', index: 0, name: 'b', again: true },
    0,
  ]);
  expect(() => next.take()).toThrow(RangeError);
});
