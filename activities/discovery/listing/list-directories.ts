import type { Listed, ListRequest } from '../../../workflows/discovery/contract.ts';
import type { DiscoveryDependencies } from '../dependencies.ts';
import { fullPath, LandingPaths, padded, rowId } from '../landing-paths.ts';
import { openSource } from '../source/open-source.ts';
import { SourceProblem, type LegacySource, type SourceEntry } from '../source/legacy-source.ts';
import { PathFilter } from './path-filter.ts';
import { PassedOver } from './passed-over.ts';
import { readUnit, UnitWriter } from './listed-units.ts';

/** Directories of a unit. */
const UNIT_DIRECTORIES = 100;
/** One call goes on with the directories that it comes upon until it has listed so much: that is what a failure repeats. */
const ENOUGH_DIRECTORIES = 1_000;
const ENOUGH_FILES = 10_000;
/** Files of a dry run that are compared with the catalogue at once. */
const COMPARED_FILES = 500;

interface Listing {
  readonly deps: DiscoveryDependencies;
  readonly request: ListRequest;
  readonly source: LegacySource;
  readonly filter: PathFilter;
  readonly files: UnitWriter;
  readonly directories: UnitWriter;
  readonly passedOver: PassedOver;
  /** Directories that are still to be listed by this call. */
  readonly queue: string[];
  readonly counts: { directories: number; listed: number; bytes: number; unseen: number; excluded: number };
  readonly compare: string[];
  readonly signal: AbortSignal;
}

/**
 * Lists directories: the files in them, and the directories below, as lists in HDFS. What is neither gets a row with its reason.
 *
 * @param attempt tells this try from others, which may still be under way
 */
export async function listDirectories(
  deps: DiscoveryDependencies,
  request: ListRequest,
  attempt: number,
  signal: AbortSignal,
): Promise<Listed> {
  const { crawl, listing } = request;
  const paths = new LandingPaths(deps.options.directory);
  const name = `${crawl.crawlId}-${padded(listing)}`;
  const directory = `${paths.crawl(crawl.crawlId)}/${padded(listing)}-${attempt}`;
  // Those that are still to be listed here: never many, since more go into lists.
  const queue = [...(await readUnit(deps.hdfs, request.unit))];
  const state: Listing = {
    queue,
    deps,
    request,
    source: openSource(crawl.root, deps.sourceOptions),
    filter: new PathFilter(crawl.input),
    files: new UnitWriter(deps.hdfs, { directory: `${directory}/files`, name, most: crawl.input.unitFiles }),
    directories: new UnitWriter(deps.hdfs, { directory: `${directory}/directories`, name, most: UNIT_DIRECTORIES }),
    passedOver: new PassedOver(deps.catalogue, crawl),
    counts: { directories: 0, listed: 0, bytes: 0, unseen: 0, excluded: 0 },
    compare: [],
    signal,
  };
  for (let below = queue.shift(); below !== undefined; below = queue.shift()) {
    if (hasAll(state)) break;
    await listDirectory(state, below);
    state.counts.directories++;
  }
  if (state.compare.length > 0) await compare(state);
  await state.passedOver.flush();
  return {
    directories: await state.directories.close(),
    files: await state.files.close(),
    listed: state.counts.listed,
    bytes: state.counts.bytes,
    unseen: state.counts.unseen,
    excluded: state.counts.excluded,
    passedOver: state.passedOver.count,
  };
}

/** Whether there are as many files as the crawl may have. */
function hasAll({ counts, request: { mostFiles } }: Listing): boolean {
  return mostFiles !== undefined && counts.listed >= mostFiles;
}

/** Whether a directory is to be listed by this call. */
function goesOn({ counts, queue }: Listing): boolean {
  return (
    queue.length < UNIT_DIRECTORIES &&
    counts.directories + queue.length < ENOUGH_DIRECTORIES &&
    counts.listed < ENOUGH_FILES
  );
}

async function listDirectory(state: Listing, directory: string): Promise<void> {
  try {
    for await (const entry of state.source.list(directory)) {
      state.signal.throwIfAborted();
      if (hasAll(state)) return;
      await take(state, directory === '' ? entry.name : `${directory}/${entry.name}`, entry);
    }
  } catch (error) {
    if (!(error instanceof SourceProblem)) throw error;
    await state.passedOver.add(directory, `directory-${error.reason}`, error.message);
  }
}

async function take(state: Listing, path: string, entry: SourceEntry): Promise<void> {
  const { source, filter, request, passedOver } = state;
  if (entry.type === 'file') return takeFile(state, path);
  if (entry.type === 'special') return passedOver.add(path, entry.special ?? 'device');
  if (entry.type === 'directory') {
    if (!filter.takesDirectory(path)) {
      state.counts.excluded++;
      return;
    }
    return takeDirectory(state, path, request.crawl.input.followSymlinks ? await identityOf(source, path) : undefined);
  }
  if (!request.crawl.input.followSymlinks) return passedOver.add(path, 'symbolic-link');
  const target = await source.follow(path);
  if (target.type === 'nowhere') return passedOver.add(path, target.reason);
  if (target.type === 'file') return takeFile(state, path);
  return takeDirectory(state, path, target.identity);
}

async function takeFile(state: Listing, path: string): Promise<void> {
  const { counts, filter, request } = state;
  if (!filter.takesFile(path)) {
    counts.excluded++;
    return;
  }
  counts.listed++;
  if (!request.crawl.input.dryRun) return state.files.add(path);
  state.compare.push(path);
  if (state.compare.length >= COMPARED_FILES) await compare(state);
}

/** @param identity where links are followed: by them one directory may be come upon by many paths, and is listed by the first */
async function takeDirectory(state: Listing, path: string, identity: string | undefined): Promise<void> {
  const { deps, request, passedOver } = state;
  if (identity !== undefined && !(await deps.catalogue.visit(request.crawl.crawlId, identity, path))) {
    return passedOver.add(path, 'directory-visited');
  }
  if (goesOn(state)) state.queue.push(path);
  else await state.directories.add(path);
}

async function identityOf(source: LegacySource, path: string): Promise<string> {
  try {
    return await source.identity(path);
  } catch (error) {
    if (error instanceof SourceProblem) return path;
    throw error;
  }
}

/** Of a dry run: sizes, and what the catalogue knows as it is. */
async function compare({ deps, source, compare: paths, counts }: Listing): Promise<void> {
  const rows = await deps.catalogue.findPaths(paths.map((path) => rowId(fullPath(source.root, path))));
  for (const path of paths.splice(0)) {
    try {
      const { size, text } = await source.stamp(path);
      counts.bytes += size;
      if (rows.get(rowId(fullPath(source.root, path)))?.stamp !== text) counts.unseen++;
    } catch (error) {
      if (!(error instanceof SourceProblem)) throw error;
      counts.unseen++;
    }
  }
}
