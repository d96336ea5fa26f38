import type { CompactionRun, ReadCompaction } from '../../workflows/compaction/contract.ts';
import type { ReadingsDependencies } from '../readings/dependencies.ts';
import { readManifest, writeManifest } from '../readings/manifest.ts';
import { readSegment } from '../readings/segment/read-segment.ts';
import { CompactionWork, newTry, planFile } from './work-files.ts';

/** Hive lets a statement write into a hundred partitions at most; a batch that fails is written again. */
const DAYS_AT_ONCE = 50;

/**
 * Lets Hive read the planned files, once.
 *
 * @throws GridError `master-data-incomplete`
 */
export async function readCompaction(
  deps: ReadingsDependencies,
  { id }: CompactionRun,
  signal: AbortSignal,
): Promise<ReadCompaction> {
  const work = new CompactionWork(deps, id);
  const planned = await readManifest(deps.hdfs, work.plan, planFile);
  const segment = newTry();
  const { days, otherForms, unreadable } = await readSegment(
    deps,
    { id: `${id}_${segment}`, directory: work.segment(segment, planned.linksDirectory), planned },
    signal,
  );
  const batches = Array.from({ length: Math.ceil(days.length / DAYS_AT_ONCE) }, (_, index) =>
    days.slice(index * DAYS_AT_ONCE, (index + 1) * DAYS_AT_ONCE),
  );
  await writeManifest(deps.hdfs, work.read, { segment, otherForms, unreadable, batches });
  return { days: days.length, batches: batches.length };
}
