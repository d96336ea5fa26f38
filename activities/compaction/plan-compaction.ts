import type { CompactionRun, PlannedCompaction } from '../../workflows/compaction/contract.ts';
import type { ReadingsDependencies } from '../readings/dependencies.ts';
import { writeManifest } from '../readings/manifest.ts';
import { ReadingsDirectory } from '../readings/readings-directory.ts';
import { planSegment } from '../readings/segment/plan-segment.ts';
import { Snapshots } from '../readings/snapshot/snapshots.ts';
import { CompactionWork, newTry, type CompactionPlan } from './work-files.ts';

/** Lists the committed files beyond what is compacted. */
export async function planCompaction(
  deps: ReadingsDependencies,
  { id, input }: CompactionRun,
  signal: AbortSignal,
): Promise<PlannedCompaction> {
  const work = new CompactionWork(deps, id);
  const linksDirectory = work.links(newTry());
  const newest = await new Snapshots(deps.hdfs, new ReadingsDirectory(deps)).newest();
  const planned = await planSegment(deps, { beyond: newest.compactedTo, linksDirectory }, signal);
  const isUpToDate = planned.upTo.length === 0 || planned.files < input.minFiles;
  const plan: CompactionPlan = {
    basedOn: newest.compaction,
    previous: [...newest.compactedTo],
    isUpToDate,
    linksDirectory,
    ...(isUpToDate ? { upTo: [], files: 0, bytes: 0, records: 0, placing: '0' } : planned),
  };
  await writeManifest(deps.hdfs, work.plan, plan);
  return { isUpToDate, files: plan.files, bytes: plan.bytes, readings: plan.records };
}
