import { GridError } from '../../grid/errors.ts';
import { RESOLUTIONS } from '../../grid/aggregate/window.ts';
import type { Boundary, PlannedViews, PlanRequest, ViewsInput } from '../../workflows/views/contract.ts';
import { BuildDirectory, type BuildTry, type Plan } from './build-directory.ts';
import { mayEndWith, type PartitionInViews } from './boundary.ts';
import { CommittedFiles, eventTimes } from '../readings/committed-files.ts';
import { dayText, EventDays } from '../readings/days.ts';
import { writeFileList } from '../readings/file-list.ts';
import type { ViewsDependencies } from './dependencies.ts';
import { sweepLeftovers } from './sweep-leftovers.ts';
import { readViewsState } from './views-state.ts';

/** A commit record that was listed and then folded is looked for again. */
const MOST_LOOKS = 5;
const UNKNOWN_PARTITION: PartitionInViews = { boundary: undefined, nextOffset: undefined, segmentEnds: new Set() };

/** Decides what the views will cover, which days have to be computed, and from which files; the plan is left in HDFS. */
export async function planViews(
  deps: ViewsDependencies,
  { run, cautious }: PlanRequest,
  signal: AbortSignal,
): Promise<PlannedViews> {
  await deps.serving.migrate();
  await sweepLeftovers(deps, signal);
  for (let look = 1; ; look++) {
    signal.throwIfAborted();
    try {
      return await plan(deps, { run, cautious }, signal);
    } catch (error) {
      const isFolded = error instanceof GridError && error.code === 'hdfs-not-found';
      if (!isFolded || look === MOST_LOOKS) throw error;
    }
  }
}

async function plan(
  deps: ViewsDependencies,
  { run, cautious }: PlanRequest,
  signal: AbortSignal,
): Promise<PlannedViews> {
  const { hdfs, serving, topic, topicsDirectory, analysisDirectory } = deps;
  const { input, buildId } = run;
  const committed = new CommittedFiles(hdfs, topicsDirectory, topic);
  const { newestBuild, partitions } = await readViewsState(serving, topic);
  const touched = new EventDays();
  const boundary: Boundary[] = [];
  for (const partition of new Set([...(await committed.partitions()), ...partitions.keys()])) {
    signal.throwIfAborted();
    const known = partitions.get(partition) ?? UNKNOWN_PARTITION;
    const lastOffset = await newBoundary(committed, partition, known, { cautious, touched });
    if (lastOffset === undefined) continue;
    const previous = known.boundary === undefined ? {} : { previousOffset: known.boundary };
    boundary.push({ topic, partition, lastOffset, ...previous });
  }
  const scope = scopeOf(input, { touched, isFirst: newestBuild === null });
  const covered = scope.isMoving
    ? boundary
    : boundary.flatMap((one) => (one.previousOffset === undefined ? [] : [{ ...one, lastOffset: one.previousOffset }]));
  const isMoved = covered.some(({ lastOffset, previousOffset }) => lastOffset !== previousOffset);
  const isUpToDate = scope.days.isEmpty && !isMoved;
  const directory = await new BuildDirectory(hdfs, analysisDirectory, buildId).begin('plan');
  const figures = isUpToDate
    ? { files: 0, bytes: 0, readings: 0, areAllInDays: true }
    : await writeList(deps, { committed, boundary: covered, days: scope.days, directory }, signal);
  const content: Plan = {
    basedOn: newestBuild,
    boundary: covered,
    days: scope.days.stretches.map(([first, last]) => [first, last]),
    touched: scope.isMoving ? touched.stretches.map(([first, last]) => [first, last]) : [],
    resolutions: scope.resolutions,
    isUpToDate,
    ...figures,
  };
  await directory.writePlan(content);
  const { files, bytes, readings } = figures;
  return { isUpToDate, boundary: covered, files, bytes, readings, plan: directory.name };
}

/** How far the views may reach in a partition; the days of what comes to them are added to `touched`. */
async function newBoundary(
  committed: CommittedFiles,
  partition: number,
  known: PartitionInViews,
  { cautious, touched }: { readonly cautious: boolean; readonly touched: EventDays },
): Promise<number | undefined> {
  let reached = known.boundary;
  const from = reached === undefined ? 0 : reached + 1;
  let pending = new EventDays();
  for await (const commit of committed.commits(partition, from)) {
    if (commit.firstOffset < from) continue;
    for (const file of commit.files) pending.addTimes(...eventTimes(file));
    if (!mayEndWith(commit.lastOffset, known, cautious)) continue;
    reached = commit.lastOffset;
    touched.addAll(pending);
    pending = new EventDays();
  }
  return reached;
}

interface Scope {
  readonly days: EventDays;
  readonly resolutions: Plan['resolutions'];
  /** Whether readings beyond the boundary are added. */
  readonly isMoving: boolean;
}

/**
 * What is computed. A boundary holds for all windows of its readings: it stays where it is when days or resolutions of
 * new readings would be left out.
 */
function scopeOf(
  { from, to, rebuild, resolutions }: ViewsInput,
  { touched, isFirst }: { readonly touched: EventDays; readonly isFirst: boolean },
): Scope {
  const all = [...RESOLUTIONS];
  const asked = RESOLUTIONS.filter((resolution) => resolutions.includes(resolution));
  if (rebuild && !isFirst && asked.length < all.length)
    return { days: EventDays.all, resolutions: asked, isMoving: false };
  if (rebuild) return { days: EventDays.all, resolutions: all, isMoving: true };
  if (from === undefined && to === undefined) return { days: touched, resolutions: all, isMoving: true };
  const days = EventDays.between(
    from === undefined ? undefined : Date.parse(from),
    to === undefined ? undefined : Date.parse(to),
  );
  if (touched.isWithin(days) && (asked.length === all.length || isFirst)) {
    return { days, resolutions: all, isMoving: true };
  }
  if (!isFirst) return { days, resolutions: asked, isMoving: false };
  const first = touched.stretches[0]?.[0] ?? 0;
  const last = touched.stretches.at(-1)?.[1] ?? 0;
  throw new GridError(
    'invalid-input',
    `Building batch views from ${from ?? 'the first day'} to ${to ?? 'the last'}: nothing has been built yet, and there are readings from ${dayText(first)} to ${dayText(last)}, which the first views must hold. Build them once without from and to.`,
  );
}

/** Writes the list of files that may hold readings of the days. */
async function writeList(
  { hdfs }: ViewsDependencies,
  {
    committed,
    boundary,
    days,
    directory,
  }: {
    readonly committed: CommittedFiles;
    readonly boundary: readonly Boundary[];
    readonly days: EventDays;
    readonly directory: BuildTry;
  },
  signal: AbortSignal,
): Promise<Pick<Plan, 'files' | 'bytes' | 'readings' | 'areAllInDays'>> {
  const figures = { files: 0, bytes: 0, readings: 0, areAllInDays: true };
  // Joined stretches hold more days than were asked for, and these must be whole too.
  const computed = EventDays.of(days.stretches);
  await writeFileList(hdfs, directory.linksDirectory, paths(), signal);
  return figures;

  async function* paths(): AsyncGenerator<string, void, undefined> {
    for (const { partition, lastOffset } of boundary) {
      for await (const commit of committed.commits(partition, 0)) {
        if (commit.lastOffset > lastOffset) break;
        for (const file of commit.files) {
          const [minMs, maxMs] = eventTimes(file);
          if (!computed.touches(minMs, maxMs)) continue;
          figures.files++;
          figures.bytes += file.lengthBytes;
          figures.readings += file.records;
          if (!computed.holds(minMs, maxMs)) figures.areAllInDays = false;
          yield file.path;
        }
      }
    }
  }
}
