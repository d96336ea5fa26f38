/** What the serving database has of a partition when a build is planned. */
export interface PartitionInViews {
  /** Up to which offset the views hold it; undefined: they hold nothing of it. */
  readonly boundary: number | undefined;
  /** Where the windows sink goes on; undefined: it has never read the partition. */
  readonly nextOffset: number | undefined;
  /** Last offsets of its full segments beyond the boundary. */
  readonly segmentEnds: ReadonlySet<number>;
}

/**
 * Whether batch views may end with an offset, so that a query can add what lies beyond from the windows of the speed layer: at the end of a
 * segment, or where the windows sink has not got beyond it.
 *
 * @param cautious leave out ends that the sink may pass before the views are published
 */
export function mayEndWith(
  lastOffset: number,
  { nextOffset, segmentEnds }: Omit<PartitionInViews, 'boundary'>,
  cautious: boolean,
): boolean {
  if (segmentEnds.has(lastOffset) || nextOffset === undefined) return true;
  return !cautious && nextOffset <= lastOffset + 1;
}
