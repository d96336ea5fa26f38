import type { LogBounds } from '../../connectors/kafka/read/log-reader.ts';
import type { CommittedPartition } from '../stores.ts';

/**
 * What was accepted, and where it is. Of HDFS every figure is exact, by its commit logs: `upTo` = readings + unreadable + notRouted + missing +
 * expired. MongoDB's count is its own, of all that it holds now, and is compared where both have read the same.
 */
export interface Ledger {
  /** Offsets that Kafka has given to records of the readings' topic. */
  readonly accepted: number;
  readonly hdfs: {
    /** Offsets that its commits cover; `behind` are those beyond. */
    readonly upTo: number;
    readonly behind: number;
    readonly readings: number;
    /** Records that cannot be read: each is in the dead-letter topic. */
    readonly unreadable: number;
    readonly notRouted: number;
    readonly missing: number;
    readonly expired: number;
    /** Offsets of committed ranges that none of the figures above accounts for: 0, or something is wrong. */
    readonly unaccounted: number;
  };
  readonly mongodb: { readonly documents: number; readonly upTo: number | undefined } | undefined;
  /**
   * `balanced`: all that was accepted is accounted for in HDFS and MongoDB. `catching up`: some is still to be written. `differs`: HDFS and MongoDB have read
   * the same and do not hold the same. `unknown`: one of them is away. `loss`: retention removed what had not been read.
   */
  readonly verdict: 'balanced' | 'catching up' | 'differs' | 'loss' | 'unknown';
}

/** @param mongodbOffsets what the group of the documents' sink has committed, by partition */
export function ledgerOf(
  bounds: readonly LogBounds[],
  committed: readonly CommittedPartition[],
  documents: number | undefined,
  mongodbOffsets: ReadonlyMap<number, number> | undefined,
): Ledger {
  const total = (of: (partition: CommittedPartition) => number): number =>
    committed.reduce((sum, partition) => sum + of(partition), 0);
  const accepted = bounds.reduce((sum, { high }) => sum + high, 0);
  const hdfs = {
    upTo: total(({ nextOffset }) => nextOffset),
    readings: total(({ records }) => records),
    unreadable: total(({ unreadable }) => unreadable),
    notRouted: total(({ notRouted }) => notRouted),
    missing: total(({ missing }) => missing),
    expired: total(({ expired }) => expired),
  };
  const unaccounted = hdfs.upTo - hdfs.readings - hdfs.unreadable - hdfs.notRouted - hdfs.missing - hdfs.expired;
  const behind = Math.max(0, accepted - hdfs.upTo);
  const upTo =
    mongodbOffsets === undefined || mongodbOffsets.size === 0
      ? undefined
      : [...mongodbOffsets.values()].reduce((sum, offset) => sum + offset, 0);
  const ledger = { accepted, hdfs: { ...hdfs, behind, unaccounted } };
  const mongodb = documents === undefined ? undefined : { documents, upTo };
  return { ...ledger, mongodb, verdict: verdictOf({ ...ledger, mongodb }) };
}

function verdictOf({ accepted, hdfs, mongodb }: Omit<Ledger, 'verdict'>): Ledger['verdict'] {
  if (hdfs.unaccounted !== 0) return 'differs';
  if (hdfs.expired > 0) return 'loss';
  if (mongodb?.upTo === undefined) return 'unknown';
  if (hdfs.upTo < accepted || mongodb.upTo < accepted) return 'catching up';
  // Routes may leave readings out of one and not of the other: then their numbers cannot be compared.
  return hdfs.notRouted === 0 && mongodb.documents !== hdfs.readings ? 'differs' : 'balanced';
}
