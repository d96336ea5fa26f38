import { entriesIfThere } from '../../../connectors/hdfs/if-there.ts';
import { quoteString } from '../../../connectors/hive/hive.ts';
import type { ReadingsDependencies } from '../dependencies.ts';
import { readManifest } from '../manifest.ts';
import { ReadingsDirectory } from '../readings-directory.ts';
import { dropSegmentTables, SegmentDirectory } from '../segment/read-segment.ts';
import { CompactionDirectory, compactionManifest } from './compaction-manifest.ts';
import { Snapshots } from './snapshots.ts';
import { dropCompactionTables, tableNames } from './view-statements.ts';

/** No refresh and no compaction takes so long; what is older and was never shown was given up. */
const ABANDONED_AFTER_MS = 30 * 86_400_000;

/**
 * Removes what only snapshots show that were replaced longer ago than queries may still read them, and what was given up before it was shown.
 */
export async function sweepReadings(deps: ReadingsDependencies, signal: AbortSignal): Promise<void> {
  const { hdfs, hive, graceMs } = deps;
  const directory = new ReadingsDirectory(deps);
  const snapshots = new Snapshots(hdfs, directory);
  const numbers = await snapshots.numbers();
  const nowMs = Date.now();
  // A snapshot was shown until the next one was written.
  const isGone = (index: number): boolean => (numbers[index + 1]?.writtenAtMs ?? nowMs) < nowMs - graceMs;
  const kept = { segments: new Set<string>(), compactions: new Set<string>() };
  const replaced = { segments: new Set<string>(), compactions: new Set<string>() };
  const gone: number[] = [];
  for (const [index, { number }] of numbers.entries()) {
    signal.throwIfAborted();
    const snapshot = await snapshots.read(number);
    if (snapshot === undefined) continue;
    const among = isGone(index) ? replaced : kept;
    if (among === replaced) gone.push(number);
    for (const { id } of snapshot.tail) among.segments.add(id);
    if (snapshot.compaction !== null) among.compactions.add(snapshot.compaction);
  }
  const dayDirectories = new Set<string>();
  for (const id of kept.compactions) {
    const { manifest } = new CompactionDirectory(directory.compaction(id));
    const { days } = await readManifest(hdfs, manifest, compactionManifest);
    for (const day of days) dayDirectories.add(day.directory);
  }
  /** What no snapshot names may be about to be shown. */
  const mayGo = (id: string, among: ReadonlySet<string>, modifiedAtMs: number): boolean =>
    /^\w{1,64}$/.test(id) && (among.has(id) || modifiedAtMs < nowMs - ABANDONED_AFTER_MS);
  for await (const { name: id, path, modifiedAtMs } of entriesIfThere(hdfs.list(directory.segments))) {
    if (kept.segments.has(id) || !mayGo(id, replaced.segments, modifiedAtMs)) continue;
    const { tail } = tableNames(deps);
    await hive.execute(`ALTER TABLE ${tail} DROP IF EXISTS PARTITION (segment=${quoteString(id)})`, { signal });
    for (const statement of dropSegmentTables(deps.workDatabase, id)) await hive.execute(statement, { signal });
    await hdfs.delete(path, { recursive: true });
  }
  for await (const { name: id, path, modifiedAtMs } of entriesIfThere(hdfs.list(directory.compactions))) {
    if (kept.compactions.has(id) || !mayGo(id, replaced.compactions, modifiedAtMs)) continue;
    await sweepCompaction(deps, { id, path, dayDirectories }, signal);
  }
  // Last, since they say what there is to remove.
  for (const number of gone) await snapshots.remove(number);
}

/** The days that later compactions have taken over stay, and what raw files say that Hive does not parse itself. */
async function sweepCompaction(
  deps: ReadingsDependencies,
  {
    id,
    path,
    dayDirectories,
  }: { readonly id: string; readonly path: string; readonly dayDirectories: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<void> {
  const { hdfs, hive } = deps;
  const paths = new CompactionDirectory(path);
  if ((await hdfs.status(paths.manifest)) !== undefined) {
    for (const statement of dropCompactionTables(deps, id)) await hive.execute(statement, { signal });
  }
  let isEmpty = true;
  for await (const written of entriesIfThere(hdfs.list(paths.days))) {
    let isUnread = true;
    for await (const day of entriesIfThere(hdfs.list(written.path))) {
      if (dayDirectories.has(day.path)) isUnread = false;
      else await hdfs.delete(day.path, { recursive: true });
    }
    if (isUnread) await hdfs.delete(written.path, { recursive: true });
    else isEmpty = false;
  }
  for (const lists of [paths.coveredDirectory, paths.othersDirectory]) await hdfs.delete(lists, { recursive: true });
  await hdfs.delete(paths.manifest);
  if (isEmpty && !(await holdsOthers(deps, paths.segment))) await hdfs.delete(path, { recursive: true });
}

async function holdsOthers({ hdfs }: ReadingsDependencies, segments: string): Promise<boolean> {
  for await (const { path } of entriesIfThere(hdfs.list(segments))) {
    if ((await hdfs.status(new SegmentDirectory(path).othersReadDirectory)) !== undefined) return true;
  }
  return false;
}
