import type { Crawl, Lists } from '../../../workflows/discovery/contract.ts';
import type { DiscoveryDependencies } from '../dependencies.ts';
import { fullPath, LandingPaths } from '../landing-paths.ts';
import { UnitWriter } from '../listing/listed-units.ts';

/** Contents whose paths are asked for at once. */
const CHUNK = 500;

/**
 * Finds contents that were claimed by somebody who did not come to landing them: a crawl that was killed and not taken up, or a file that was gone when
 * its unit was done again. Where this share has another path of such a content, that is to be looked at again. To be asked when nothing is
 * being landed.
 */
export async function findUnlanded(
  { hdfs, catalogue, options }: DiscoveryDependencies,
  { crawl, round }: { readonly crawl: Crawl; readonly round: number },
  attempt: number,
  signal: AbortSignal,
): Promise<Lists> {
  const { crawlId, root, input } = crawl;
  const writer = new UnitWriter(hdfs, {
    directory: `${new LandingPaths(options.directory).crawl(crawlId)}/again-${round}-${attempt}`,
    name: `${crawlId}-again-${round}`,
    most: input.unitFiles,
  });
  const prefix = fullPath(root, '.').slice(0, -1);
  const listed = new Set<string>();
  const look = async (contents: readonly string[]): Promise<void> => {
    const done = new Set<string>();
    for await (const { content = '', outermost, path } of catalogue.pathsOf(contents)) {
      signal.throwIfAborted();
      const found = outermost ?? path;
      // One path is enough: two would land the content twice.
      if (done.has(content) || !found.startsWith(prefix)) continue;
      done.add(content);
      if (listed.has(found)) continue;
      listed.add(found);
      await writer.add(found.slice(prefix.length));
    }
    // Nothing is known to have this content any more.
    for (const content of contents) if (!done.has(content) && own.has(content)) await catalogue.forgetClaim(content);
  };
  const own = new Set<string>();
  let chunk: string[] = [];
  for await (const { _id, claim } of catalogue.claimed()) {
    if (claim?.crawl === crawlId) own.add(_id);
    chunk.push(_id);
    if (chunk.length < CHUNK) continue;
    await look(chunk);
    chunk = [];
  }
  if (chunk.length > 0) await look(chunk);
  return writer.close();
}
