import type {
  CompactionPublishRequest,
  CompactionResult,
  PublishedCompaction,
} from '../../workflows/compaction/contract.ts';
import type { HdfsClient } from '../../connectors/hdfs/hdfs.ts';
import { addFigures, NO_FIGURES, sumText } from '../readings/day-figures.ts';
import type { ReadingsDependencies } from '../readings/dependencies.ts';
import { FILE_LIST, readFileList, writeFileList } from '../readings/file-list.ts';
import { readManifest, writeManifest } from '../readings/manifest.ts';
import { ReadingsDirectory } from '../readings/readings-directory.ts';
import {
  CompactionDirectory,
  compactionManifest,
  type CompactedDay,
  type CompactionManifest,
} from '../readings/snapshot/compaction-manifest.ts';
import { ensureCompactionTables, publishNewest } from '../readings/snapshot/publish-snapshot.ts';
import { farther, isCovered, offsetsOf, type Snapshot } from '../readings/snapshot/snapshot.ts';
import { Snapshots } from '../readings/snapshot/snapshots.ts';
import { sweepReadings } from '../readings/snapshot/sweep-readings.ts';
import { batchFile, CompactionWork, newTry, planFile, readFile, type CompactionPlan } from './work-files.ts';

const MOST_DAYS_TOLD = 50;

interface Written {
  readonly segment: string;
  readonly days: CompactedDay[];
  readonly duplicates: number;
  readonly otherForms: number;
  readonly unreadable: number;
}

/**
 * Puts a snapshot with the compacted days behind the newest, and lets the views show it. Refreshes that came meanwhile stay; another compaction does
 * not: then nothing is published. Who tries it again after it was done gets what was done.
 */
export async function publishCompaction(
  deps: ReadingsDependencies,
  { run: { id }, startedMs }: CompactionPublishRequest,
  signal: AbortSignal,
): Promise<PublishedCompaction> {
  const { hdfs } = deps;
  const directory = new ReadingsDirectory(deps);
  const snapshots = new Snapshots(hdfs, directory);
  const work = new CompactionWork(deps, id);
  const plan = await readManifest(hdfs, work.plan, planFile);
  const written = plan.isUpToDate ? NOTHING_WRITTEN : await writtenBy(deps, work);
  if (!plan.isUpToDate && (await snapshots.newest()).compaction !== id) {
    const manifest = await describe(deps, { id, plan, written }, signal);
    await ensureCompactionTables(deps, manifest, signal);
    for (;;) {
      signal.throwIfAborted();
      const newest = await snapshots.newest();
      if (newest.compaction !== plan.basedOn) return {};
      if (await snapshots.put(withCompaction(newest, manifest))) break;
    }
  }
  const shown = await publishNewest(deps, signal);
  await sweepReadings(deps, signal);
  return { result: await resultOf(deps, { plan, written, shown, startedMs }) };
}

const NOTHING_WRITTEN: Written = { segment: '', days: [], duplicates: 0, otherForms: 0, unreadable: 0 };

async function writtenBy({ hdfs }: ReadingsDependencies, work: CompactionWork): Promise<Written> {
  const { segment, batches, otherForms, unreadable } = await readManifest(hdfs, work.read, readFile);
  const days: CompactedDay[] = [];
  let duplicates = 0;
  for (const batch of batches.keys()) {
    const written = await readManifest(hdfs, work.batch(batch), batchFile);
    days.push(...written.days);
    duplicates += written.duplicates;
  }
  return { segment, days, duplicates, otherForms, unreadable };
}

/** Writes what the compaction has: its own days and those that it takes over, and the lists of raw files that it covers. */
async function describe(
  deps: ReadingsDependencies,
  { id, plan, written }: { readonly id: string; readonly plan: CompactionPlan; readonly written: Written },
  signal: AbortSignal,
): Promise<CompactionManifest> {
  const { hdfs } = deps;
  const work = new CompactionWork(deps, id);
  const attempt = newTry();
  const coveredDirectory = `${work.compaction.coveredDirectory}/${attempt}`;
  const othersDirectory = `${work.compaction.othersDirectory}/${attempt}`;
  const based = await basedOn(deps, plan.basedOn);
  const own = new Set(written.days.map(({ day }) => day));
  const taken = based?.days.filter(({ day }) => !own.has(day)) ?? [];
  const othersFile = `${work.segment(written.segment).othersReadDirectory}/part-00000`;
  const hasOwnOthers = (await hdfs.status(othersFile)) !== undefined;
  await writeFileList(
    hdfs,
    coveredDirectory,
    joined(hdfs, [
      ...(based === undefined ? [] : [`${based.coveredDirectory}/${FILE_LIST}`]),
      `${plan.linksDirectory}/${FILE_LIST}`,
    ]),
    signal,
  );
  const others = joined(
    hdfs,
    based?.hasOthers === true ? [`${based.othersDirectory}/${FILE_LIST}`] : [],
    hasOwnOthers ? [othersFile] : [],
  );
  await writeFileList(hdfs, othersDirectory, others, signal);
  const manifest: CompactionManifest = {
    version: 1,
    id,
    basedOn: plan.basedOn,
    writtenAt: new Date().toISOString(),
    upTo: farther(plan.previous, plan.upTo),
    days: [...taken, ...written.days].sort((a, b) => (a.day < b.day ? -1 : 1)),
    coveredDirectory,
    othersDirectory,
    coveredFiles: (based?.coveredFiles ?? 0) + plan.files,
    coveredRecords: (based?.coveredRecords ?? 0) + plan.records,
    hasOthers: hasOwnOthers || based?.hasOthers === true,
  };
  await writeManifest(hdfs, work.compaction.manifest, manifest);
  return manifest;
}

async function basedOn(deps: ReadingsDependencies, id: string | null): Promise<CompactionManifest | undefined> {
  if (id === null) return undefined;
  const { manifest } = new CompactionDirectory(new ReadingsDirectory(deps).compaction(id));
  return readManifest(deps.hdfs, manifest, compactionManifest);
}

async function* joined(
  hdfs: HdfsClient,
  lists: readonly string[],
  paths: readonly string[] = [],
): AsyncGenerator<string, void, undefined> {
  for (const list of lists) yield* readFileList(hdfs, list);
  yield* paths;
}

function withCompaction(newest: Snapshot, { id, upTo }: CompactionManifest): Snapshot {
  return {
    ...newest,
    number: newest.number + 1,
    id,
    writtenAt: new Date().toISOString(),
    compaction: id,
    compactedTo: upTo,
    shownTo: farther(newest.shownTo, upTo),
    tail: newest.tail.filter((segment) => !isCovered(segment.upTo, upTo)),
  };
}

async function resultOf(
  deps: ReadingsDependencies,
  {
    plan,
    written,
    shown,
    startedMs,
  }: {
    readonly plan: CompactionPlan;
    readonly written: Written;
    readonly shown: Snapshot;
    readonly startedMs: number;
  },
): Promise<CompactionResult> {
  const all = (await basedOn(deps, shown.compaction))?.days ?? [];
  const previous = offsetsOf(plan.previous);
  const { duplicates, otherForms, unreadable } = written;
  return {
    outcome: plan.isUpToDate ? 'up-to-date' : 'compacted',
    topic: deps.topic,
    snapshot: shown.number,
    boundary: farther(plan.previous, plan.upTo).map(({ partition, lastOffset }) => {
      const previousOffset = previous.get(partition);
      return { partition, lastOffset, ...(previousOffset === undefined ? {} : { previousOffset }) };
    }),
    files: plan.files,
    bytes: plan.bytes,
    readings: plan.records,
    otherForms,
    unreadable,
    duplicates,
    days: written.days.slice(0, MOST_DAYS_TOLD).map(({ day }) => day),
    rewritten: figuresOfDays(written.days),
    compacted: {
      ...figuresOfDays(all),
      sum: sumText(all.reduce((sum, { figures }) => addFigures(sum, figures), NO_FIGURES).sum),
    },
    durationMs: Math.max(0, Date.now() - startedMs),
  };
}

function figuresOfDays(days: readonly CompactedDay[]) {
  return {
    days: days.length,
    readings: days.reduce((sum, { figures }) => sum + figures.readings, 0),
    files: days.reduce((sum, { files }) => sum + files.length, 0),
    bytes: days.reduce((sum, { files }) => sum + files.reduce((bytes, file) => bytes + file.lengthBytes, 0), 0),
  };
}
