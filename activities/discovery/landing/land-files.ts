import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PathDocument } from '../../../connectors/mongodb/legacy-catalogue.ts';
import { GridError } from '../../../grid/errors.ts';
import { inLanes } from '../../../grid/lanes.ts';
import type { Crawl, Tally, UnitOfWork } from '../../../workflows/discovery/contract.ts';
import type { DiscoveryDependencies } from '../dependencies.ts';
import { fullPath, rowId } from '../landing-paths.ts';
import { readUnit } from '../listing/listed-units.ts';
import { SourceProblem, type LegacySource } from '../source/legacy-source.ts';
import { openSource } from '../source/open-source.ts';
import { rowOf, settle, type Outermost, type Settling } from './settle.ts';
import { Unchanged } from './unchanged.ts';
import { UnitLedger } from './unit-ledger.ts';

/** Files of a unit that are read and looked at at once. */
const LANES = 2;
/** Files that the catalogue is asked for at once. */
const CHUNK = 500;
const LONGEST_DETAIL = 1_000;

/**
 * Lands the files of one unit of work. What the catalogue knows as it is, is not read again; so a try after one that was cut short goes on where that
 * one had come to.
 */
export async function landFiles(
  deps: DiscoveryDependencies,
  { crawl, unit }: { readonly crawl: Crawl; readonly unit: UnitOfWork },
  signal: AbortSignal,
): Promise<Tally> {
  const paths = await readUnit(deps.hdfs, unit);
  return deps.work.within(async (directory) => {
    const ledger = await UnitLedger.open({ deps, crawl, unit, directory, signal });
    const settling = { deps, crawl, unit, ledger, claims: new Map(), signal };
    const source = openSource(crawl.root, deps.sourceOptions);
    for (let at = 0; at < paths.length; at += CHUNK) {
      const chunk = paths.slice(at, at + CHUNK);
      const changed = unit.again === true ? chunk : await withoutUnchanged(settling, source, chunk);
      const files = changed.entries();
      await inLanes(
        LANES,
        () => files.next().value,
        async ([index, path]) => {
          signal.throwIfAborted();
          await landFile(settling, source, path, join(directory, String(at + index)));
        },
      );
    }
    await ledger.close();
    return ledger.tally;
  });
}

/** Of some paths those that the catalogue does not know as they are; the others are counted. */
async function withoutUnchanged(
  { deps, crawl, ledger, signal }: Settling,
  source: LegacySource,
  paths: readonly string[],
): Promise<readonly string[]> {
  const rows = await deps.catalogue.findPaths(paths.map((path) => rowId(fullPath(source.root, path))));
  const unchanged = new Unchanged(deps.catalogue, crawl.crawlId, ledger);
  const changed: string[] = [];
  for (const path of paths) {
    signal.throwIfAborted();
    const row = rows.get(rowId(fullPath(source.root, path)));
    if (row !== undefined && (await isUnchanged(source, path, row))) await unchanged.add(row);
    else changed.push(path);
  }
  await unchanged.flush();
  return changed;
}

async function isUnchanged(source: LegacySource, path: string, row: PathDocument): Promise<boolean> {
  if (row.stamp === undefined || row.content === undefined) return false;
  try {
    return (await source.stamp(path)).text === row.stamp;
  } catch (error) {
    // It gets its row when it is read.
    if (error instanceof SourceProblem) return false;
    throw error;
  }
}

async function landFile(settling: Settling, source: LegacySource, path: string, directory: string): Promise<void> {
  const { deps, crawl, ledger, signal } = settling;
  const { depth, bytes, entries } = deps.options.budget;
  const full = fullPath(source.root, path);
  const outermost: Outermost = { rowId: rowId(full), path: full, left: { bytes, entries }, members: 0 };
  const named = { rowId: outermost.rowId, path: full, name: path.slice(path.lastIndexOf('/') + 1) };
  await mkdir(directory, { mode: 0o700 });
  try {
    const localPath = join(directory, 'file');
    const { stamp, ...spooled } = await source.spool(path, localPath, signal);
    const work = join(directory, 'work');
    await mkdir(work, { mode: 0o700 });
    const { size, modifiedAtMs, text } = stamp;
    const found = { ...named, ...spooled, localPath, size, modifiedAtMs, stamp: text, chain: [] };
    await settle(settling, found, outermost, work, depth);
  } catch (error) {
    // A store that is down, and a job that is stopped, are no file's problem.
    if (signal.aborted || (error instanceof GridError && error.code !== 'defect')) throw error;
    const reason = error instanceof SourceProblem ? error.reason : 'defect';
    const detail = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_DETAIL);
    await ledger.put(rowOf({ ...named, size: 0 }, outermost, crawl.crawlId, { outcome: 'failed', reason, detail }));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
