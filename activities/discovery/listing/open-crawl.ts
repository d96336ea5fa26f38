import { GridError } from '../../../grid/errors.ts';
import type { Crawl, OpenedCrawl } from '../../../workflows/discovery/contract.ts';
import type { DiscoveryDependencies } from '../dependencies.ts';
import { LandingPaths } from '../landing-paths.ts';
import { sourceOfInput } from '../source/open-source.ts';
import { UnitWriter } from './listed-units.ts';

/**
 * Looks whether the share is there, makes the directories of the crawl, and lists the root as the first directory.
 *
 * @throws GridError `not-discoverable`
 */
export async function openCrawl(
  { hdfs, catalogue, options, sourceOptions }: DiscoveryDependencies,
  { crawlId, input }: Crawl,
  signal: AbortSignal,
): Promise<OpenedCrawl> {
  const given = input.root ?? options.share;
  if (given === '') {
    throw new GridError(
      'not-discoverable',
      'Discovering legacy files: no share is named, and none is configured. Name one, {"root": "/mnt/share"}, or set LEGACY_SHARE.',
    );
  }
  const source = await sourceOfInput(given, sourceOptions);
  signal.throwIfAborted();
  const paths = new LandingPaths(options.directory);
  const crawl = paths.crawl(crawlId);
  const directories = [`${crawl}/temporary`, ...(input.dryRun ? [] : paths.folders)];
  for (const directory of directories) await hdfs.makeDirectory(directory);
  await catalogue.prepare();
  if (input.followSymlinks) await catalogue.visit(crawlId, await source.identity(''), '');
  const writer = new UnitWriter(hdfs, { directory: `${crawl}/root`, name: `${crawlId}-root`, most: 1 });
  await writer.add('');
  return { root: source.root, directories: await writer.close() };
}
