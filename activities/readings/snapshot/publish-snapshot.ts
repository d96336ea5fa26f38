import { GridError } from '../../../grid/errors.ts';
import type { HiveClient } from '../../../connectors/hive/hive.ts';
import type { ReadingsDependencies } from '../dependencies.ts';
import { listedFiles } from '../file-list.ts';
import { linesTableStatement } from '../line-statements.ts';
import { readManifest } from '../manifest.ts';
import { ReadingsDirectory } from '../readings-directory.ts';
import { databaseStatement, SegmentDirectory } from '../segment/read-segment.ts';
import { CompactionDirectory, compactionManifest, type CompactionManifest } from './compaction-manifest.ts';
import type { Snapshot } from './snapshot.ts';
import { Snapshots } from './snapshots.ts';
import {
  addPartitionsStatement,
  allViewStatement,
  listedOthersTableStatement,
  offsetsViewStatement,
  partitionedTableStatement,
  rawViewStatement,
  SHOWN_PROPERTY,
  shownText,
  tableNames,
  viewNames,
} from './view-statements.ts';

/** So many partitions are named in one statement. */
const PARTITIONS_AT_ONCE = 200;
/** Property of a compaction's table that has all its days. */
const COMPLETE_PROPERTY = 'readings.complete';

/**
 * Lets the views show the newest snapshot. What a snapshot is shown with is made before, so `readings_all` is switched by one statement; who is late
 * with an older snapshot looks again and puts it right.
 *
 * @returns what is shown now
 */
export async function publishNewest(deps: ReadingsDependencies, signal: AbortSignal): Promise<Snapshot> {
  const { hdfs, hive } = deps;
  const snapshots = new Snapshots(hdfs, new ReadingsDirectory(deps));
  const { all, imported } = viewNames(deps);
  for (;;) {
    signal.throwIfAborted();
    const snapshot = await snapshots.newest();
    const hasImported = await isThere(hive, imported, signal);
    if ((await propertyOf(hive, all, SHOWN_PROPERTY, signal)) !== shownText({ snapshot, hasImported })) {
      await show(deps, { snapshot, hasImported }, signal);
    }
    if ((await snapshots.newest()).number === snapshot.number) return snapshot;
  }
}

async function show(
  deps: ReadingsDependencies,
  { snapshot, hasImported }: { readonly snapshot: Snapshot; readonly hasImported: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { hdfs, hive, database, workDatabase } = deps;
  const directory = new ReadingsDirectory(deps);
  const call = { signal };
  for (const name of new Set([workDatabase, database])) await hive.execute(databaseStatement(name), call);
  const { tail } = tableNames(deps);
  await hive.execute(partitionedTableStatement(tail, 'segment', directory.segments), call);
  await addPartitions(
    hive,
    tail,
    'segment',
    snapshot.tail.map(({ id }) => ({
      value: id,
      directory: new SegmentDirectory(directory.segment(id)).rowsDirectory,
    })),
    signal,
  );
  let hasOthers = false;
  if (snapshot.compaction !== null) {
    const paths = new CompactionDirectory(directory.compaction(snapshot.compaction));
    const manifest = await readManifest(hdfs, paths.manifest, compactionManifest);
    await ensureCompactionTables(deps, manifest, signal);
    ({ hasOthers } = manifest);
  }
  const content = { snapshot, hasOthers, hasImported, dialect: await hive.dialect(call) };
  await hive.execute(rawViewStatement(deps, content), call);
  await hive.execute(offsetsViewStatement(deps, snapshot), call);
  await hive.execute(allViewStatement(deps, content), call);
}

/** Makes the tables of a compaction whole: of its days, and of the raw files that it covers. Cheap where they are there. */
export async function ensureCompactionTables(
  deps: ReadingsDependencies,
  { id, days, hasOthers, coveredDirectory, othersDirectory }: CompactionManifest,
  signal: AbortSignal,
): Promise<void> {
  const { hive } = deps;
  const call = { signal };
  const names = tableNames(deps, id);
  const paths = new CompactionDirectory(new ReadingsDirectory(deps).compaction(id));
  if ((await propertyOf(hive, names.days, COMPLETE_PROPERTY, signal)) === 'true') return;
  await hive.execute(partitionedTableStatement(names.days, 'event_day', paths.days), call);
  const partitions = days.map(({ day, directory }) => ({ value: day, directory }));
  await addPartitions(hive, names.days, 'event_day', partitions, signal);
  await hive.execute(`DROP TABLE IF EXISTS ${names.covered}`, call);
  const covered = listedFiles(deps.hdfs, coveredDirectory);
  await hive.execute(await linesTableStatement(names.covered, await hive.dialect(call), covered), call);
  await hive.execute(`DROP TABLE IF EXISTS ${names.coveredOthers}`, call);
  if (hasOthers) await hive.execute(listedOthersTableStatement(names.coveredOthers, othersDirectory), call);
  await hive.execute(`ALTER TABLE ${names.days} SET TBLPROPERTIES ('${COMPLETE_PROPERTY}'='true')`, call);
}

async function addPartitions(
  hive: HiveClient,
  table: string,
  column: 'event_day' | 'segment',
  partitions: readonly { readonly value: string; readonly directory: string }[],
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < partitions.length; at += PARTITIONS_AT_ONCE) {
    const some = partitions.slice(at, at + PARTITIONS_AT_ONCE);
    await hive.execute(addPartitionsStatement(table, column, some), { signal });
  }
}

/** Undefined: there is no such table or view, or it has no such property. */
async function propertyOf(
  hive: HiveClient,
  name: string,
  property: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const rows = await hive.rows(`SHOW TBLPROPERTIES ${name}('${property}')`, { signal });
    return rows.find(([key]) => key === property)?.[1] ?? undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function isThere(hive: HiveClient, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await hive.execute(`DESCRIBE ${name}`, { signal });
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof GridError && error.code === 'hive-not-found';
}
