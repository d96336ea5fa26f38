import { z } from 'zod';

const count = z.int().nonnegative();
const id = z.string().regex(/^\w{1,64}$/);
const day = z.string().regex(/^\d{4}-\d\d-\d\d$/);

/** Up to which offset, inclusive, a partition is covered; always the end of a commit. */
export const reached = z.object({ partition: count, lastOffset: count });
export type Reached = z.output<typeof reached>;

/** Readings of committed files that are shown beside the compacted ones. */
export const segment = z.object({
  id,
  /** To the end of which commit it reaches, in partitions of which it has files. */
  upTo: z.array(reached),
  /** Event days of its readings. */
  days: z.array(day),
  files: count,
  bytes: count,
  /** Lines of its files. */
  records: count,
  otherForms: count,
  unreadable: count,
});
export type Segment = z.output<typeof segment>;

/** What the views of readings show: a state of them all, which never changes. */
export const snapshotSchema = z.object({
  version: z.literal(1),
  number: count,
  /** Who wrote it: of two that write the same number one loses. */
  id,
  writtenAt: z.iso.datetime(),
  /** The compaction that it shows; null before the first. */
  compaction: id.nullable(),
  compactedTo: z.array(reached),
  shownTo: z.array(reached),
  /** What is shown beside the compacted readings, of it only what lies beyond `compactedTo`. */
  tail: z.array(segment),
});
export type Snapshot = z.output<typeof snapshotSchema>;

/** Before the first. */
export const NOTHING_SHOWN: Snapshot = {
  version: 1,
  number: 0,
  id: 'none',
  writtenAt: '1970-01-01T00:00:00.000Z',
  compaction: null,
  compactedTo: [],
  shownTo: [],
  tail: [],
};

export function offsetsOf(vector: readonly Reached[]): ReadonlyMap<number, number> {
  return new Map(vector.map(({ partition, lastOffset }) => [partition, lastOffset]));
}

/** The farther of both, for each partition, in order. */
export function farther(one: readonly Reached[], other: readonly Reached[]): Reached[] {
  const offsets = new Map(offsetsOf(one));
  for (const { partition, lastOffset } of other) {
    offsets.set(partition, Math.max(lastOffset, offsets.get(partition) ?? 0));
  }
  return [...offsets].sort(([a], [b]) => a - b).map(([partition, lastOffset]) => ({ partition, lastOffset }));
}

/** Whether all that a vector reaches to is covered by another. */
export function isCovered(vector: readonly Reached[], by: readonly Reached[]): boolean {
  const offsets = offsetsOf(by);
  return vector.every(({ partition, lastOffset }) => lastOffset <= (offsets.get(partition) ?? -1));
}
