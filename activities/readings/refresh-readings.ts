import { randomBytes } from 'node:crypto';
import { GridError } from '../../grid/errors.ts';
import type { ReadingsDependencies } from './dependencies.ts';
import { ReadingsDirectory } from './readings-directory.ts';
import { isAnythingBeyond, planSegment } from './segment/plan-segment.ts';
import { dropSegmentTables, readSegment, SegmentDirectory } from './segment/read-segment.ts';
import { publishNewest } from './snapshot/publish-snapshot.ts';
import { farther, isCovered, type Reached, type Segment, type Snapshot } from './snapshot/snapshot.ts';
import { Snapshots } from './snapshot/snapshots.ts';
import { sweepReadings } from './snapshot/sweep-readings.ts';

/** More segments are read anew as one. */
const MOST_SEGMENTS = 64;
/** Each lost round is one that another has won. */
const MOST_ROUNDS = 100;

/** What `readings_raw` and `readings_all` show after a refresh. */
export interface RefreshedReadings {
  readonly snapshot: number;
  /** Last offsets that are compacted, and shown. */
  readonly compactedTo: readonly Reached[];
  readonly shownTo: readonly Reached[];
  /** Committed files that came to them. */
  readonly newFiles: number;
}

/**
 * Lets the views `readings_raw` and `readings_all` show what the commit log has committed now. Idempotent; a few calls where nothing has come. Others
 * may refresh and compact meanwhile: of two one waits for nothing and builds upon the other.
 *
 * @throws GridError `master-data-incomplete`, whatever HDFS and Hive fail with
 */
export async function refreshReadings(deps: ReadingsDependencies, signal: AbortSignal): Promise<RefreshedReadings> {
  const snapshots = new Snapshots(deps.hdfs, new ReadingsDirectory(deps));
  let newFiles = 0;
  for (let round = 1; ; round++) {
    const based = await snapshots.newest();
    if (!(await isAnythingBeyond(deps, based.shownTo, signal))) break;
    const added = await addSegment(deps, snapshots, based, signal);
    if (added !== undefined) {
      newFiles = added.files;
      break;
    }
    if (round === MOST_ROUNDS) {
      throw new GridError(
        'views-overtaken',
        `Refreshing ${deps.database}.readings_all: ${MOST_ROUNDS} times another refresh or compaction was quicker. It is tried again.`,
      );
    }
  }
  const { number, compactedTo, shownTo } = await publishNewest(deps, signal);
  return { snapshot: number, compactedTo, shownTo, newFiles };
}

/** @returns undefined when another snapshot was put behind the one that this is based on */
async function addSegment(
  deps: ReadingsDependencies,
  snapshots: Snapshots,
  based: Snapshot,
  signal: AbortSignal,
): Promise<Segment | undefined> {
  const { hdfs, hive, workDatabase } = deps;
  const id = `${Date.now().toString(36)}_${randomBytes(6).toString('hex')}`;
  const directory = new SegmentDirectory(new ReadingsDirectory(deps).segment(id));
  const isFull = based.tail.length >= MOST_SEGMENTS;
  const beyond = isFull ? based.compactedTo : based.shownTo;
  const planned = await planSegment(deps, { beyond, linksDirectory: directory.linksDirectory }, signal);
  const read = await readSegment(deps, { id, directory, planned }, signal);
  for (const statement of dropSegmentTables(workDatabase, id)) await hive.execute(statement, { signal });
  const { upTo, files, bytes, records } = planned;
  const segment: Segment = {
    id,
    upTo,
    files,
    bytes,
    records,
    days: read.days.map(({ day }) => day),
    otherForms: read.otherForms,
    unreadable: read.unreadable,
  };
  const isPut = await snapshots.put({
    ...based,
    number: based.number + 1,
    id,
    writtenAt: new Date().toISOString(),
    shownTo: farther(based.shownTo, segment.upTo),
    tail: [...(isFull ? [] : based.tail), segment].filter((one) => !isCovered(one.upTo, based.compactedTo)),
  });
  if (!isPut) {
    await hdfs.delete(directory.path, { recursive: true });
    return undefined;
  }
  if (isFull) await sweepReadings(deps, signal);
  return segment;
}
