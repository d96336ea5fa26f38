import { expect, it } from 'vitest';
import { GridError } from '../../../grid/errors.ts';
import { Delivery, PartitionQueue, sizeOf } from './partition-queue.ts';

const queued = (value: string, delivery: Delivery, bytes = 10) => ({ record: { key: null, value }, bytes, delivery });
const values = (taken: readonly { record: { value: unknown } }[]) => taken.map(({ record }) => record.value);

it('gives its records oldest first, as many as fit', () => {
  const queue = new PartitionQueue(0);
  const delivery = new Delivery(5, 0);
  for (const value of ['a', 'b', 'c', 'd', 'e']) queue.push(queued(value, delivery));
  expect(queue.bytes).toBe(50);
  expect(values(queue.take(2, 1_000, () => undefined))).toEqual(['a', 'b']);
  expect(values(queue.take(10, 20, () => undefined))).toEqual(['c', 'd']);
  // A record larger than a batch goes alone rather than never.
  expect(values(queue.take(10, 5, () => undefined))).toEqual(['e']);
  expect(queue.isEmpty).toBe(true);
  expect(queue.bytes).toBe(0);
});

it('leaves out records whose call has failed, and hands them back', async () => {
  const queue = new PartitionQueue(0);
  const failed = new Delivery(1, 0);
  const good = new Delivery(1, 0);
  queue.push(queued('a', failed));
  queue.push(queued('b', good));
  failed.fail(new GridError('not-acknowledged', 'x'));
  await expect(failed.done).rejects.toMatchObject({ code: 'not-acknowledged' });
  const dropped: unknown[] = [];
  expect(values(queue.take(10, 100, ({ record }) => dropped.push(record.value)))).toEqual(['b']);
  expect(dropped).toEqual(['a']);
});

it('gives up what was queued before a moment', () => {
  const queue = new PartitionQueue(0);
  queue.push(queued('a', new Delivery(1, 100)));
  queue.push(queued('b', new Delivery(1, 200)));
  expect(values(queue.takeOlderThan(200))).toEqual(['a']);
  expect(values(queue.takeOlderThan(Infinity))).toEqual(['b']);
});

it('keeps its order over many rounds', () => {
  const queue = new PartitionQueue(0);
  const delivery = new Delivery(1, 0);
  const taken: unknown[] = [];
  let next = 0;
  for (let round = 0; round < 50; round++) {
    for (let index = 0; index < 300; index++) queue.push(queued(String(next++), delivery));
    taken.push(...values(queue.take(290, Infinity, () => undefined)));
  }
  taken.push(...values(queue.take(Infinity, Infinity, () => undefined)));
  expect(taken).toEqual(Array.from({ length: next }, (_, index) => String(index)));
});

it('a call is done with its last record, or failed with the first failure', async () => {
  const delivery = new Delivery(2, 0);
  delivery.acknowledge();
  delivery.acknowledge();
  await delivery.done;
  const failing = new Delivery(2, 0);
  failing.fail(new GridError('kafka-refused', 'first'));
  failing.fail(new GridError('not-acknowledged', 'second'));
  failing.acknowledge();
  await expect(failing.done).rejects.toThrow('first');
});

it('counts key, value and headers of a record', () => {
  const bare = sizeOf({ key: null, value: null });
  expect(sizeOf({ key: 'é', value: Buffer.alloc(10), headers: { a: 'bc' } })).toBe(bare + 2 + 10 + 3);
});
